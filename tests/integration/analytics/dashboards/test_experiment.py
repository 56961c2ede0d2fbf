"""d5, d6: a report says how the variants stand, and what was decided from it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from analytics.domain.outcomes import Population
from analytics.selectors import campaign_report, experiments, outcomes
from campaigns.models import Campaign, Message
from campaigns.selectors.campaigns import sent_goals
from campaigns.services.campaigns import ticking
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people
from tests.factories.tested import converted, did, let_click, send, variants, with_test
from tests.integration.analytics.dashboards.test_report_page import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
START = datetime(2026, 1, 5, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def campaign(actor):
    make_channel()
    make_people(300)
    return make_launched(actor, START, **with_test()).campaign


@pytest.fixture
def decided(campaign):
    send(campaign.dispatches.get(), START)
    let_click(campaign, {"A": 0.1, "B": 0.7}, START + HOUR)
    did(campaign, "opted_out", "B", 2, START + HOUR)
    ticking.decide_tests(now=START + 2 * HOUR)
    ticking.advance(now=START + 2 * HOUR)
    send(campaign.dispatches.get(run_number=2), START + 3 * HOUR)
    campaign.refresh_from_db()
    return campaign


def page_of(campaign, language="en"):
    _user, client = signed_in(f"ana-{language}", "analyst", language=language)
    return client.get(reverse("reports:campaign", args=[campaign.slug]))


def test_d6_the_report_shows_arms_decision_and_that_it_may_be_read_at_any_time(decided):
    page = page_of(decided)

    text = page.content.decode()
    shown = page.context["experiment"]
    assert "This can be read at any time" in text
    assert "The rest gets variant B: it is shown to be better than the first variant" in text
    assert [arm["key"] for arm in shown["arms"]] == ["A", "B"]
    assert shown["arms"][0]["is_control"]
    assert shown["arms"][1]["difference"].startswith("+")
    assert shown["arms"][1]["harms"][0]["count"] == 2
    assert "Opt-outs" in text
    chinese = page_of(decided, "zh-hans").content.decode()
    assert "随时" in chinese
    assert "This can be read" not in chinese


def test_d5_the_rest_is_in_no_arm(decided):
    report = campaign_report.load_report(campaign=decided, as_of=START + 4 * HOUR)
    first = Message.objects.filter(dispatch__campaign=decided, dispatch__run_number=1)

    assert report.counts.audience == 300
    assert sum(part.counts.audience for part in report.variants) == first.count()
    assert not report.allocation["variants"].is_off
    found = experiments.load(decided, as_of=START + 4 * HOUR)
    assert sum(arm.people for arm in found.reading.arms.values()) == first.count()
    goal = sent_goals.goals_of([decided])[decided.pk]
    cells = outcomes.load_cells(campaign=decided, goal=goal, as_of=START + 4 * HOUR)
    assert Population(cells).tested.count() == first.count()


def test_f76_arms_in_which_nobody_is_are_not_estimated(campaign):
    shown = page_of(campaign).context["experiment"]

    assert shown["arms"][1]["difference"] == "cannot be estimated"
    assert shown["arms"][1]["rate"] == "–"
    assert shown["winner"] == ""


def test_a_campaign_with_one_text_compares_nothing(actor):
    make_channel()
    make_people(3)
    page = page_of(make_launched(actor, START).campaign)
    assert page.context["experiment"] is None
    assert "Variants compared" not in page.content.decode()


def test_f70_sizes_that_are_wrong_in_one_language_are_noticed(campaign):
    send(campaign.dispatches.get(), START)
    mine = Message.objects.filter(dispatch__campaign=campaign, variant__key="B")
    some = list(mine.order_by("pk").values_list("customer_id", flat=True)[:30])
    type(mine[0].customer).objects.filter(pk__in=some).update(language="en")

    found = experiments.load(campaign, as_of=START + HOUR)

    odd = [(ratio.dimension, ratio.value) for ratio in found.ratios if ratio.check.is_off]
    assert ("language", "en") in odd
    assert {ratio.dimension.value for ratio in found.ratios} == {"channel", "language", "day"}
    assert (
        "Somewhere the variants do not have the intended sizes"
        in page_of(campaign).content.decode()
    )


def test_d6_two_running_experiments_with_the_same_people_are_told_of_each_other(actor):
    make_channel()
    make_people(300)
    one, two = (
        make_launched(actor, START, slug=slug, variants=variants(), content=None).campaign
        for slug in ("one", "two")
    )
    for campaign in (one, two):
        send(campaign.dispatches.get(), START)
    both = set(people_of(one, "B")) & set(people_of(two, "B"))
    converted(sorted(both)[::2], START + HOUR)

    found = experiments.load(one, as_of=START + 2 * HOUR).crossed

    assert [(other.campaign, other.people) for other in found] == [(two, 300)]
    (line,) = found[0].found
    assert (line.arm, line.other_arm) == ("B", "B")
    assert line.value >= 0.5
    assert line.is_shown
    assert "the two change each other" in page_of(one).content.decode()
    Campaign.objects.filter(pk=two.pk).update(status="cancelled")
    assert experiments.load(one, as_of=START + 2 * HOUR).crossed == []


def people_of(campaign, key):
    rows = Message.objects.filter(dispatch__campaign=campaign, variant__key=key)
    return rows.values_list("customer_id", flat=True)
