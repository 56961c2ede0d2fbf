"""d6, d17: tests of texts in the form and on the page, and what groups will show."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, ContentTest
from campaigns.services.campaigns import authoring, forecasts, ticking
from customers.models import Segment
from loancrm.kernel import clock, roles
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, make_launched, spec
from tests.factories.people import make_people
from tests.factories.tested import converted, did, let_click, send, variants, with_test

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def browser():
    roles.ensure_roles()
    user = User.objects.create_user("mara", is_staff=True)
    user.groups.set(Group.objects.filter(name="marketer"))
    found = Client(headers={"accept-language": "en"})
    found.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return found


def filled(channel, **changes):
    base = {
        "name": "Autumn",
        "segment": Segment.objects.get().pk,
        "goal_event": "application_submitted",
        "goal_window_days": "7",
        "purpose": "marketing",
        "late_limit_hours": "24",
        "holdout_percent": "10",
        "channel": channel.pk,
        "A_weight": "1",
        "A_zh_hans_text": "{{ name }}，您的专属服务已开通。",
        "B_weight": "1",
        "B_zh_hans_text": "{{ name }}，您好。",
    }
    return {**base, **changes}


TEST = {
    "test_percent": "20",
    "test_metric": "converted",
    "test_hours": "12",
    "test_without_winner": "person",
    "test_opted_out": "0.3",
    "test_complained": "0.1",
}


@pytest.fixture
def channel(actor, now):
    make_channel()
    authoring.create_campaign(source=spec(slug="other"), actor=actor, now=now)
    return make_channel("sms")


def test_d6_the_form_writes_changes_and_removes_a_test(browser, channel):
    browser.post(reverse("admin:campaigns_campaign_add"), filled(channel, **TEST))
    campaign = Campaign.objects.get(slug="autumn")
    test = campaign.content_test
    assert (f"{test.test_share:.3f}", test.metric, test.decide_after_hours) == (
        "0.200",
        "converted",
        12,
    )
    assert (f"{test.opted_out_margin:.4f}", f"{test.complained_margin:.4f}") == (
        "0.0030",
        "0.0010",
    )
    url = reverse("admin:campaigns_campaign_edit", args=[campaign.pk])
    shown = browser.get(url)
    assert shown.context["form"]["test_percent"].value() == "20"
    stamp = shown.context["form"].initial
    assert stamp["test_without_winner"] == "person"

    page = browser.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
    text = page.content.decode()
    assert "20 % of the people are written to first" in text
    assert "a person chooses the variant for the rest" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"B_zh_hans_text": "", "B_weight": ""}, "at least two variants"),
        ({"repeat_every": "week", "start_at": "2030-01-07T10:00"}, "cannot run again"),
    ],
)
def test_d6_a_test_that_cannot_be_held_is_told_beside_its_field(browser, channel, changes, words):
    page = browser.post(reverse("admin:campaigns_campaign_add"), filled(channel, **TEST, **changes))
    assert words in str(page.context["form"].errors["test_percent"])
    assert not Campaign.objects.filter(slug="autumn").exists()


def test_d6_a_person_chooses_on_the_page(browser, actor, now):
    make_channel()
    make_people(40)
    campaign = make_launched(actor, now, **with_test(without_winner="person")).campaign
    send(campaign.dispatches.get(), now)
    url = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    assert "waits for the result" in browser.get(url).content.decode()
    ticking.decide_tests(now=now + timedelta(hours=25))
    assert "Variant for the rest" in browser.get(url).content.decode()

    step = reverse("admin:campaigns_campaign_step", args=[campaign.pk, "winner"])
    browser.post(step, {"variant": "B"})

    assert ContentTest.objects.get().winner == "B"
    text = browser.get(url).content.decode()
    assert "The rest gets variant B: a person chose it" in text
    assert "Variant for the rest" not in text


def test_d6_the_page_counts_test_and_rest_together(browser, actor, now):
    make_channel()
    make_people(40)
    campaign = make_launched(actor, now, **with_test()).campaign
    send(campaign.dispatches.get(), now)
    later = now + timedelta(hours=25)
    ticking.decide_tests(now=later)
    ticking.advance(now=later)
    progress = browser.get(reverse("admin:campaigns_campaign_progress", args=[campaign.pk])).json()
    assert progress["audience"] == 40
    assert sum(progress["states"].values()) == 40
    text = browser.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
    assert "The rest" in text.content.decode()


def test_d17_the_check_says_what_the_groups_will_show(browser, actor, now):
    make_channel()
    people = make_people(400)
    converted([one.pk for one in people[:40]], clock.now() - timedelta(days=2))
    source = spec(variants=variants(), holdout_share="0.2")
    source.pop("content")
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    found = forecasts.forecast(campaign=campaign, actor=actor, now=clock.now()).power
    assert found.holdout.base == pytest.approx(0.1)
    assert found.holdout.control + found.holdout.treated <= 400
    assert 0.05 < found.holdout.rise < 0.3
    assert found.variants.control == pytest.approx(found.variants.treated, abs=1)

    page = browser.get(reverse("admin:campaigns_campaign_forecast", args=[campaign.pk]))

    text = page.content.decode()
    assert "at the usual rate of 10.00 %" in text
    assert "is seen in four of five cases" in text
    assert "people are needed" in text


def test_d17_the_usual_rate_of_clicks_is_that_of_the_channel(actor, now):
    make_channel()
    make_people(100)
    before = make_launched(actor, now, **with_test("0.9"), slug="before").campaign
    run = before.dispatches.get()
    send(run, now)
    let_click(before, {"A": 0.5, "B": 0.5}, now)
    source = {**spec(slug="next"), **with_test("0.9")}
    source.pop("content")
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    power = forecasts.forecast(campaign=campaign, actor=actor, now=clock.now()).power
    assert power.variants.base == pytest.approx(0.5, abs=0.02)
    assert power.holdout is None


def test_f76_without_anything_usual_nothing_is_estimated(browser, actor, now):
    make_channel()
    make_people(60)
    source = spec(holdout_share="0.5")
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    page = browser.get(reverse("admin:campaigns_campaign_forecast", args=[campaign.pk]))
    assert "cannot be estimated" in page.content.decode()


def test_d6_events_of_the_test_are_recorded(actor, now):
    make_channel()
    make_people(40)
    campaign = make_launched(actor, now, **with_test()).campaign
    send(campaign.dispatches.get(), now)
    did(campaign, "opted_out", "A", 1, now)
    ticking.decide_tests(now=now + timedelta(hours=25))
    entry = AuditEntry.objects.get(action="campaign.winner_decided")
    assert entry.facts["winner"] == "A"
    assert entry.facts["ground"] == "time_up"
