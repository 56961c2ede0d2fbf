"""An offer that is dropped from a targeting: its list is emptied, or stays where it is in use."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from analytics.models import TargetingList
from analytics.services.targeting import runs
from campaigns.models import Message
from campaigns.services.campaigns import authoring, launch
from customers.models import Segment, SegmentMember
from customers.services.segments import versions
from loancrm.kernel.work import service
from tests.factories.campaigns import make_channel, spec, submit_and_approve
from tests.factories.scored import give_scores
from tests.integration.analytics.services.targeting.test_runs import (
    description,
    finished,
    population,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
CASH = {"slug": "cash", "name": "Cash", "margin": 1800}
CARD = {"slug": "card", "name": "Card", "margin": 1500, "scores": {"uplift": "card"}}
CARDS = "target-spring-card"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch, db):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


@pytest.fixture
def targeted(actor, now):
    people = population(now)
    make_channel("sms", cost_per_part="0.045")
    give_scores(people, "card", lambda at: 0.001 * at, now)

    def target(*offers, minutes=0, **changes):
        at = now + timedelta(minutes=minutes)
        data = description(offers=list(offers), **changes)
        return finished(runs.start_run(actor=actor, data=data, now=at), at, actor).result

    return target


def members(slug=CARDS):
    rows = SegmentMember.objects.filter(segment__slug=slug, left_at__isnull=True)
    return set(rows.values_list("customer_id", flat=True))


def campaign_with(slug, actor, now):
    make_channel()
    return authoring.create_campaign(source=spec(segment=slug), actor=actor, now=now)


def test_the_list_of_an_offer_that_was_dropped_is_emptied_and_says_so(targeted):
    assert targeted(CASH, CARD)["retired"] == []
    before = len(members())
    assert before > 0
    result = targeted(CASH, minutes=10)
    assert result["retired"] == [
        {"slug": CARDS, "name": "春季 · Card", "size": before, "used_by": []}
    ]
    assert members() == set()
    segment = Segment.objects.get(slug=CARDS)
    assert segment.last_count == 0
    assert "no targeting fills this list" in segment.description
    assert "不再" in segment.description
    # It is told once.
    assert targeted(CASH, minutes=20)["retired"] == []


def test_a_list_that_is_filled_again_loses_its_note_and_keeps_what_people_wrote(targeted):
    targeted(CASH, CARD)
    Segment.objects.filter(slug=CARDS).update(description="For the card team")
    targeted(CASH, minutes=10)
    assert Segment.objects.get(slug=CARDS).description.startswith("For the card team\n")
    targeted(CASH, CARD, minutes=20)
    assert Segment.objects.get(slug=CARDS).description == "For the card team"
    assert members()
    assert TargetingList.objects.get(segment__slug=CARDS).retired_at is None


def test_a_list_that_an_open_campaign_uses_keeps_its_people_with_a_note(targeted, actor, now):
    targeted(CASH, CARD)
    before = members()
    campaign = campaign_with(CARDS, actor, now)
    retired = targeted(CASH, minutes=10)["retired"]
    assert [(one["slug"], one["used_by"]) for one in retired] == [(CARDS, [campaign.name])]
    assert members() == before
    assert "no targeting fills this list" in Segment.objects.get(slug=CARDS).description
    # Once the campaign is over, the next targeting empties it.
    authoring.Campaign.objects.filter(pk=campaign.pk).update(status="cancelled")
    assert targeted(CASH, minutes=20)["retired"][0]["used_by"] == []
    assert members() == set()


def test_what_a_running_campaign_froze_does_not_change(targeted, actor, now):
    targeted(CASH, CARD)
    campaign = campaign_with(CARDS, actor, now)
    submit_and_approve(campaign, actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    frozen = list(Message.objects.order_by("pk").values())
    assert {row["customer_id"] for row in frozen} == members()
    for number in (1, 2):
        targeted(CASH, minutes=10 * number)
        assert list(Message.objects.order_by("pk").values()) == frozen
    authoring.Campaign.objects.filter(pk=campaign.pk).update(status="completed")
    targeted(CASH, minutes=30)
    assert members() == set()
    assert list(Message.objects.order_by("pk").values()) == frozen


def test_a_list_that_another_segment_names_or_was_chosen_from_stays(targeted, actor, now):
    targeted(CASH, CARD)
    before = members()
    rule = {"combinator": "and", "rules": [{"field": "segment", "operator": "=", "value": CARDS}]}
    inside = versions.create_segment(actor=actor, slug="inside", name="Inside", rule=rule, now=now)
    retired = targeted(CASH, minutes=10)["retired"]
    assert [one["used_by"] for one in retired] == [["Inside"]]
    versions.delete_segment(actor=actor, segment=inside, now=now)
    # The fairness of a list that was chosen from it is held against its people.
    targeted(CASH, minutes=20, slug="other", whom={"segment": CARDS})
    retired = targeted(CASH, minutes=30)["retired"]
    assert [one["used_by"] for one in retired] == [["春季 · Cash"]]
    assert members() == before


def test_a_channel_that_is_dropped_leaves_no_list_and_other_targetings_are_not_touched(targeted):
    two = [{"channel": "sms", "cost": 0.1}, {"channel": "call", "cost": 5, "reach": 2}]
    targeted(CASH, channels=two)
    targeted(CARD, slug="other", minutes=5)
    others = members("target-other-card")
    slugs = [one["slug"] for one in targeted(CASH, minutes=10)["retired"]]
    assert "target-spring-cash-call" in slugs
    assert CARDS not in slugs
    assert members("target-other-card") == others


def test_step_three_and_the_result_say_what_becomes_of_the_list(targeted, admin_user):
    targeted(CASH, CARD)
    client = Client(headers={"accept-language": "en"})
    client.force_login(admin_user)
    given = {"name": "春季", "slug": "spring", "segment": "", "uplift": "up"}
    client.post(reverse("targeting:whom"), given)
    offers = {"offers-TOTAL_FORMS": 1, "offers-INITIAL_FORMS": 0, "parts": 1}
    offer = {"offers-0-name": "Cash", "offers-0-margin": 1800}
    client.post(reverse("targeting:what"), {**offers, **offer, "channels": "sms-memory"})
    page = client.get(reverse("targeting:how_much")).content.decode()
    assert "are left out" in page
    assert "Card" in page
    assert "will be emptied" in page
    targeted(CASH, minutes=10)
    run = runs.TargetingRun.objects.latest("pk")
    page = client.get(reverse("targeting:run", args=[run.pk])).content.decode()
    assert "Lists that were left out" in page
    assert "Emptied" in page


def test_the_list_of_an_offer_goes_by_its_name_and_not_by_its_place(targeted, admin_user):
    """Dropping the first offer must not fill its list with people for the second."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(admin_user)
    slugs = []
    for names in (("Cash loan", "现金"), ("现金",)):
        given = {"name": "S", "slug": "summer", "segment": "", "uplift": "up"}
        client.post(reverse("targeting:whom"), given)
        offers = {"offers-TOTAL_FORMS": 2, "offers-INITIAL_FORMS": 0, "parts": 1}
        for at, name in enumerate(names):
            offers |= {f"offers-{at}-name": name, f"offers-{at}-margin": 1800}
        client.post(reverse("targeting:what"), {**offers, "channels": "sms-memory"})
        answer = client.post(reverse("targeting:how_much"), {"people": ""})
        assert answer.status_code == 302, answer.content.decode()
        run = runs.TargetingRun.objects.latest("pk")
        slugs.append([one["slug"] for one in run.spec["offers"]])
    assert slugs[0][0] == "cash-loan"
    assert slugs[0][1:] == slugs[1]
