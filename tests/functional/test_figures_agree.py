"""Figures of one name show one number wherever they stand, and are what the rows say (f5).

One campaign with everything that has made two pages disagree: a fallback, retries, held-out people,
messages of unknown fate, several clicks and machines' clicks, goals before, twice and too late, and
a customer who was merged since.
"""

import json
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from analytics.management.demo import table
from analytics.models import MetricSnapshot
from analytics.services import reports
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.models import Campaign, CampaignCost, LinkVisit, Message
from campaigns.services.partners import contracts
from customers.models import Customer
from loancrm.kernel import clock
from tests.factories.links import make_linked
from tests.integration.analytics.selectors.scene import SENT_AT, Scene, make_loan
from tests.partner_client import ACTOR, new_partner

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

OPEN = {"planned", "sending"}
SMS, EMAIL = Decimal("0.05"), Decimal("0.01")
DAY = timedelta(days=1)


@pytest.fixture
def scene():
    """Thirty people; see the comments for who is what."""
    scene = Scene(make_linked(f"c{number}" for number in range(30)), status="completed")
    Campaign.objects.update(launched_at=SENT_AT)
    later = scene.step("email", position=2, is_fallback=True)
    unsent = {"sent_at": None, "delivered_at": None, "closed_at": SENT_AT}
    email = {"dispatch": later, "planned_at": SENT_AT + DAY / 8}
    for number in range(10):
        scene.message(f"c{number}", cost_amount=SMS)
    for number in range(10, 14):  # at the third try
        scene.message(f"c{number}", state="sent", delivered_at=None, attempts=3, cost_amount=SMS)
    for number in (14, 15):
        scene.message(
            f"c{number}", state="unknown", attempted_at=SENT_AT, cost_amount=SMS, **unsent
        )
    for number in (16, 17, 18):  # by SMS in vain, then by e-mail
        scene.message(
            f"c{number}", state="bounced", reason="failed", delivered_at=None, cost_amount=SMS
        )
        scene.message(f"c{number}", cost_amount=EMAIL, **email)
    scene.message("c19", state="skipped", reason="unreachable", **unsent)
    scene.message("c19", state="skipped", reason="no_consent", **unsent, **email)
    scene.message("c20", state="skipped", reason="no_consent", **unsent)
    scene.message("c20", state="sent", delivered_at=None, cost_amount=EMAIL, **email)
    for number in (21, 22):
        scene.message(f"c{number}", state="skipped", reason="frequency_cap", **unsent)
    for number in range(23, 28):
        scene.held_out(f"c{number}", reason="holdout")
    scene.message("c28", state="failed", reason="channel_refused", **unsent)
    scene.message(
        "c28", state="unknown", attempted_at=SENT_AT, cost_amount=EMAIL, **unsent, **email
    )
    scene.message("c29", cost_amount=SMS)
    _clicks(scene, later)
    _goals(scene)
    for category, amount in (("media", 80), ("staff", 20)):
        CampaignCost.objects.create(
            campaign=scene.campaign, category=category, amount=amount, incurred_on=date(2026, 1, 5)
        )
    make_loan(scene, "c1", date(2026, 1, 13), outstanding_amount=200)
    Customer.objects.filter(pk=scene.people["c29"].pk).update(merged_into=scene.people["c0"])
    scene.campaign.refresh_from_db()
    return scene


def _clicks(scene, later):
    def click(key, dispatch, *, is_bot=False, after=DAY):
        message = Message.objects.get(dispatch=dispatch, customer=scene.people[key])
        LinkVisit.objects.create(
            message=message, link=scene.link, at=SENT_AT + after, is_bot=is_bot
        )

    for hours in range(3):
        click("c0", scene.dispatch, after=timedelta(hours=1 + hours))
    click("c1", scene.dispatch, is_bot=True)
    click("c10", scene.dispatch)  # what was clicked has arrived
    click("c16", later)
    click("c29", scene.dispatch)


def _goals(scene):
    scene.applied("c0", SENT_AT - DAY)
    scene.applied("c0", SENT_AT + DAY)
    scene.applied("c0", SENT_AT + 2 * DAY)  # told twice
    scene.applied("c1", SENT_AT + DAY)
    scene.applied("c2", SENT_AT + 30 * DAY)  # after the window
    scene.applied("c10", SENT_AT + DAY)
    scene.applied("c16", SENT_AT + DAY)
    scene.applied("c23", SENT_AT + DAY)  # of the control group
    scene.applied("c29", SENT_AT + DAY)


class Rows:
    """What the rows say, counted without the product's selectors."""

    def __init__(self, campaign):
        rows = Message.objects.filter(dispatch__campaign=campaign).select_related(
            "customer", "dispatch__step"
        )
        self.rows = sorted(rows, key=lambda row: row.dispatch.position)
        self.last = {row.customer_id: row for row in self.rows}
        self.states = Counter(row.state for row in self.last.values())
        self.reasons = Counter(row.reason for row in self.last.values() if row.reason)
        self.skips = Counter(row.reason for row in self.last.values() if row.state == "skipped")
        self.done = sum(row.state not in OPEN for row in self.last.values())
        self.spent = sum(row.cost_amount for row in self.rows)
        self.unknown = [row.pk for row in self.rows if row.state == "unknown"]

    def persons(self, fits):
        return {row.customer.merged_into_id or row.customer_id for row in self.rows if fits(row)}

    @property
    def clicked(self):
        human = set(LinkVisit.objects.filter(is_bot=False).values_list("message_id", flat=True))
        return self.persons(lambda row: row.pk in human)


def _printed(*arguments):
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_f5_people_states_and_money_are_the_same_on_every_page(scene, admin_client):
    told = Rows(scene.campaign)
    page = admin_client.get(
        reverse("admin:campaigns_campaign_change", args=[scene.campaign.pk])
    ).context
    live = admin_client.get(
        reverse("admin:campaigns_campaign_progress", args=[scene.campaign.pk])
    ).json()
    command = _printed("campaign_status", scene.campaign.slug)
    (listed,) = (
        admin_client.get(reverse("admin:campaigns_campaign_changelist")).context["cl"].result_list
    )
    home = admin_client.get(reverse("admin:index")).context
    report = admin_client.get(reverse("reports:campaign", args=[scene.campaign.slug])).context

    people = len(told.last)
    assert people == 30
    assert page["progress"].audience == live["audience"] == command["audience"] == people
    assert (listed.facts.done, listed.facts.total) == (told.done, people)
    # The first page lists what runs; this campaign is over by now.
    assert home["going"] == []
    Campaign.objects.filter(pk=scene.campaign.pk).update(status=CampaignStatus.RUNNING)
    going = admin_client.get(reverse("admin:index")).context["going"]
    assert [(row["done"], row["total"]) for row in going] == [(told.done, people)]
    for states in (page["progress"].states, live["states"], command["states"]):
        assert +Counter(states) == told.states
    assert page["progress"].reasons == command["reasons"] == told.reasons
    assert dict(home["overview"].skips) == told.skips

    spent = f"{told.spent:.2f}"
    assert page["progress"].cost_amount == command["cost_amount"] == spent
    sent = {row.customer_id for row in told.rows if row.sent_at is not None}
    assert page["progress"].sent_count == command["sent_count"] == len(sent)
    assert live["facts"]["sent"] == str(len(sent))
    open_amount = sum(row.cost_amount for row in told.rows if row.state == "unknown")
    assert page["progress"].unknown_cost_amount == f"{open_amount:.2f}"
    assert live["facts"]["spent"] == f"¥{spent}"
    total = report["report"].figures["cost"].numerator
    assert Decimal(total) == told.spent + 100
    # The report counts persons and says which records it takes together.
    assert report["report"].counts.audience == people - report["merged_count"] == 29


def test_f5_unknown_messages_are_as_many_wherever_they_are_told(scene, admin_client):
    told = Rows(scene.campaign)
    page = admin_client.get(
        reverse("admin:campaigns_campaign_change", args=[scene.campaign.pk])
    ).context
    listed = admin_client.get(page["unknown_url"]).context["page"]
    home = admin_client.get(reverse("admin:index")).context
    command = _printed("campaign_status", scene.campaign.slug)

    assert len(told.unknown) == 3
    assert page["unknown_count"] == home["unknown_count"] == command["unknown_count"] == 3
    assert [message.pk for message in listed] == sorted(told.unknown)
    assert command["unknown_message_ids"] == sorted(told.unknown)


def test_f5_a_report_says_the_same_on_its_page_in_commands_files_and_to_partners(
    scene, admin_client, settings
):
    settings.LOANCRM_API_SMALLEST_GROUP = 1
    told = Rows(scene.campaign)
    shown = admin_client.get(reverse("reports:campaign", args=[scene.campaign.slug])).context
    command = _printed("campaign_report", scene.campaign.slug)
    reader = new_partner("acme")
    contracts.share(actor=ACTOR, partner=reader.partner, shared=scene.campaign, now=clock.now())
    partner = reader.get(f"campaigns/{scene.campaign.slug}/report").json()
    stored = reports.store_report(actor=ACTOR, slug=scene.campaign.slug, now=clock.now())

    control = told.persons(lambda row: row.is_control)
    sent = told.persons(lambda row: row.sent_at is not None)
    delivered = told.persons(lambda row: row.delivered_at is not None) | told.clicked
    converted = {scene.people[key].pk for key in ("c0", "c1", "c10", "c16")}
    counts = {
        "audience": len(told.persons(lambda _row: True)),
        "held_out": len(control),
        "sent": len(sent),
        "exposed": len(sent),
        "delivered": len(delivered),
        "clicked": len(told.clicked),
        "converted": len(converted),
        "converted_any_time": len(converted) + 1,
    }
    on_page = shown["report"].counts.to_json()
    for name, count in counts.items():
        assert on_page[name] == command[name] == partner[name] == count, name
    names = [row[0] for row in shown["funnel"].rows]
    funnel = dict(zip(names, (row[1] for row in shown["funnel"].rows), strict=True))
    assert len(funnel) == len(names)
    assert str(len(converted & told.clicked)) in funnel.values()

    for name, figure in shown["report"].figures.items():
        for other in (command["figures"][name], partner["figures"][name]):
            plain = figure.to_json()
            assert [other[key] for key in ("value", "numerator", "denominator")] == [
                plain[key] for key in ("value", "numerator", "denominator")
            ], name
    kept = MetricSnapshot.objects.filter(metric="cost").latest("pk")
    assert Decimal(str(kept.numerator)) == Decimal(stored.report.figures["cost"].numerator)

    lines = {
        line.split()[1]: line.split()
        for line in table.lines([stored.report], {scene.campaign.slug: told.skips})
        if len(line.split()) > 2
    }
    for name in ("audience", "sent", "delivered", "clicked", "converted"):
        assert lines[name][-1] == str(counts[name]), name


def test_f5_channels_add_up_to_the_whole(scene, admin_client):
    shown = admin_client.get(reverse("reports:campaign", args=[scene.campaign.slug])).context
    report = shown["report"]
    for name in ("sent", "delivered", "clicked", "converted"):
        parts = sum(getattr(part.counts, name) for part in report.channels)
        assert parts == getattr(report.counts, name), name
    own = sum(Decimal(part.figures["cac"].numerator) for part in report.channels)
    assert own + 20 == Decimal(report.figures["cost"].numerator)


def test_u18_what_is_called_alike_is_the_same_figure(scene, admin_client):
    """A name stands for one figure; where a channel's own cost is meant, the name says so."""
    address = reverse("reports:campaign", args=[scene.campaign.slug])
    page = admin_client.get(address, headers={"accept-language": "en"})
    text = page.content.decode()
    own, whole = "Cost per conversion (media and messages)", "Cost per conversion (fully loaded)"
    assert text.count(own) == text.count(whole) == 1
    figures = {row["metric"]: row for row in page.context["figures"]}
    assert page.context["costs"]["unit"] == figures[whole]["value"]
    lift = page.context["report"].figures["lift"]
    numerator, denominator = lift.control
    assert lift.value == pytest.approx(
        lift.numerator / lift.denominator - numerator / denominator, abs=1e-9
    )
    assert f"against {numerator} of {denominator}" in text


def test_u17_a_state_is_not_called_like_the_sum_of_several(scene, admin_client):
    page = admin_client.get(
        reverse("admin:campaigns_campaign_change", args=[scene.campaign.pk]),
        headers={"accept-language": "en"},
    )
    labels = {state: label for state, label, _count in page.context["states"]}
    assert labels["sent"] == "Sent, no receipt yet"
    report = admin_client.get(
        reverse("reports:campaign", args=[scene.campaign.slug]),
        headers={"accept-language": "en"},
    )
    assert "Sent" in [row[0] for row in report.context["funnel"].rows]
    assert "of it for messages of unknown fate" in page.content.decode()
