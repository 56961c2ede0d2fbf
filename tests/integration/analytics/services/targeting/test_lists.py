"""The lists of a targeting are its own, of people who are still there, and of the latest run."""

from datetime import timedelta

import pytest

from analytics.models import TargetingRun
from analytics.services.targeting import runs
from analytics.services.targeting.checking import TargetingRefused
from campaigns.models import ModelAudience
from customers.models import Customer, SegmentMember
from customers.services.segments import versions
from loancrm.kernel.work import service
from tests.factories.campaigns import make_channel
from tests.factories.people import make_people
from tests.factories.scored import give_scores
from tests.integration.analytics.services.targeting.test_runs import (
    description,
    finished,
    population,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
CASH, OTHER = "target-spring-cash", {"slug": "cash", "name": "x", "margin": 1}


@pytest.fixture(autouse=True)
def _scene(monkeypatch, db):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    make_channel("sms", cost_per_part="0.045")


def members(slug=CASH):
    rows = SegmentMember.objects.filter(segment__slug=slug, left_at__isnull=True)
    return set(rows.values_list("customer_id", flat=True))


def problems(refusal):
    return [(one["path"], one["code"]) for one in refusal.value.facts["problems"]]


def two_channels():
    return [{"channel": "sms", "cost": 0.1}, {"channel": "call", "cost": 5}]


@pytest.mark.parametrize(
    ("slug", "offers"),
    [("spring", ["cash", "cash-sms"]), ("s" * 40, ["cash", "cash-call"])],
)
def test_offers_whose_lists_would_have_one_name_are_refused(actor, now, slug, offers):
    population(now)
    offers = [{**OTHER, "slug": name, "margin": 1800} for name in offers]
    given = description(slug=slug, offers=offers, channels=two_channels())
    with pytest.raises(TargetingRefused) as refusal:
        runs.start_run(actor=actor, data=given, now=now)
    assert problems(refusal) == [("offers[1].slug", "repeated")]


def test_long_names_are_told_apart(actor, now):
    population(now)
    offers = [{**OTHER, "slug": "o" * 30, "margin": 1800}]
    given = description(slug="s" * 40, offers=offers, channels=two_channels())
    given["caps"] = {"people": 10, "per_channel": {"sms": 4}}
    given["channels"][1]["reach"] = 1.1
    run = finished(runs.start_run(actor=actor, data=given, now=now), now, actor)
    sizes = {one["channel"]: len(members(one["slug"])) for one in run.result["segments"]}
    assert len({one["slug"] for one in run.result["segments"]}) == 3
    assert sizes[""] == sizes["sms"] + sizes["call"] == run.result["people"]


def test_a_list_that_somebody_made_is_never_written_over(actor, now):
    people = population(now)
    mine = [person.pk for person in people[-3:]]
    make = versions.replace_members
    make(actor=actor, slug=CASH, name="mine", customer_ids=mine, source="file", now=now)
    with pytest.raises(TargetingRefused) as refusal:
        runs.start_run(actor=actor, data=description(), now=now)
    assert problems(refusal) == [("offers[0].slug", "list_taken")]
    assert members() == set(mine)


def test_the_list_of_a_targeting_whose_name_reads_the_same_stays(actor, now):
    population(now)
    first = description(slug="spring", offers=[{**OTHER, "slug": "a-b", "margin": 1800}])
    finished(runs.start_run(actor=actor, data=first, now=now), now, actor)
    second = description(slug="spring-a", offers=[{**OTHER, "slug": "b", "margin": 1800}])
    with pytest.raises(TargetingRefused) as refusal:
        runs.start_run(actor=actor, data=second, now=now)
    assert problems(refusal) == [("offers[0].slug", "list_taken")]
    again = finished(runs.start_run(actor=actor, data=first, now=now), now, actor)
    assert again.work.state == "done"


def test_a_targeting_that_began_earlier_does_not_replace_a_later_one(actor, now):
    population(now)
    early = runs.start_run(actor=actor, data=description(caps={"people": 3}), now=now)
    late = runs.start_run(actor=actor, data=description(caps={"people": 5}), now=now)
    late = finished(late, now, actor)
    early = finished(early, now + timedelta(minutes=1), actor)
    assert (late.work.state, early.work.state, early.result) == ("done", "failed", {})
    assert len(members()) == 5
    assert ModelAudience.objects.get().source == f"targeting:{late.pk}"


def test_who_is_erased_merged_or_switches_off_meanwhile_is_left_out(actor, now, monkeypatch):
    people = population(now)
    compare = runs.compare

    def meanwhile(**given):
        Customer.objects.filter(pk=people[0].pk).delete()
        Customer.objects.filter(pk=people[1].pk).update(merged_into=people[2].pk)
        Customer.objects.filter(pk=people[3].pk).update(personalisation_allowed=False)
        return compare(**given)

    monkeypatch.setattr(runs, "compare", meanwhile)
    run = finished(runs.start_run(actor=actor, data=description(), now=now), now, actor)
    assert (run.work.state, str(run.work.last_error)) == ("done", "")
    assert not members() & {people[at].pk for at in (0, 1, 3)}
    assert people[2].pk in members()


@pytest.mark.parametrize(
    ("use", "value", "code"),
    [
        ("pd", 620, "score_no_share"),
        ("response", -0.1, "score_no_share"),
        ("uplift", 1.5, "score_no_change"),
        ("complaint", 2, "score_no_share"),
    ],
)
def test_points_are_not_taken_for_probabilities(actor, now, use, value, code):
    people = population(now)
    give_scores(make_people(1, prefix="odd"), "odd", lambda _at: value, now)
    scores = {"uplift": "up", "pd": "pd", use: "odd"}
    with pytest.raises(TargetingRefused) as refusal:
        runs.start_run(actor=actor, data=description(scores=scores), now=now)
    assert (f"scores.{use}", code) in problems(refusal)
    assert people
    assert not TargetingRun.objects.exists()


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "two\nlines"])
def test_texts_that_cannot_be_stored_are_refused(actor, now, text):
    population(now)
    with pytest.raises(TargetingRefused) as refusal:
        runs.start_run(actor=actor, data=description(name=text), now=now)
    assert problems(refusal) == [("name", "text_expected")]
