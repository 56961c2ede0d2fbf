"""Hand-made campaigns: who counts, when, and as what."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.models import LinkVisit, Message
from customers import labels as customer_labels
from customers.models import Customer
from tests.integration.analytics.selectors.scene import AS_OF, SENT_AT, WINDOW, make_loan


@pytest.mark.sql
@pytest.mark.parametrize(
    ("_case", "at", "converted"),
    [
        ("before the exposure", SENT_AT - timedelta(microseconds=1), 0),
        ("at the exposure", SENT_AT, 1),
        ("a second before the end", SENT_AT + WINDOW - timedelta(seconds=1), 1),
        ("at the end", SENT_AT + WINDOW, 1),
        ("a microsecond after the end", SENT_AT + WINDOW + timedelta(microseconds=1), 0),
        ("a second after the end", SENT_AT + WINDOW + timedelta(seconds=1), 0),
    ],
)
def test_a_conversion_counts_inside_the_window_only(scene, _case, at, converted):
    scene.message("c1")
    scene.applied("c1", at)

    report = scene.report()

    assert report.counts.converted == converted
    assert report.counts.converted_any_time == (at >= SENT_AT)


@pytest.mark.sql
def test_what_was_sent_is_measured_by_the_goal_that_it_was_frozen_with(scene, admin_client):
    scene.message("c1")
    scene.applied("c1", SENT_AT + WINDOW)
    scene.campaign.goal_event, scene.campaign.goal_window_days = "loan_disbursed", 1
    scene.campaign.save()

    report = scene.report()

    assert report.counts.converted == 1
    assert (report.head.goal_event, report.head.window_days) == ("application_submitted", 7)
    page = admin_client.get(reverse("reports:index"))
    assert customer_labels.event("application_submitted") in page.content.decode()


@pytest.mark.sql
def test_a_campaign_that_was_run_elsewhere_has_its_own_goal(scene):
    scene.message("c1")
    scene.applied("c1", SENT_AT + WINDOW)
    scene.campaign.dispatches.update(goal_event="", goal_window_days=None)
    assert scene.report().counts.converted == 1


@pytest.mark.sql
def test_a_customer_counts_once_however_often_reached_and_converted(scene):
    second = scene.step("email", position=2)
    scene.message("c1")
    scene.message("c1", second, sent_at=SENT_AT + timedelta(days=5))
    for days in (1, 2, 6, 9):
        scene.applied("c1", SENT_AT + timedelta(days=days))

    counts = scene.report().counts

    assert (counts.audience, counts.sent, counts.converted) == (1, 1, 1)


@pytest.mark.sql
def test_merged_records_are_one_person_with_the_events_of_both(scene):
    scene.message("c1")
    scene.message("c2")
    Customer.objects.filter(pk=scene.people["c2"].pk).update(merged_into=scene.people["c1"])
    scene.applied("c2", SENT_AT + timedelta(days=1))

    counts = scene.report().counts

    assert (counts.audience, counts.sent, counts.converted) == (1, 1, 1)


@pytest.mark.sql
def test_immature_exposures_are_left_out_and_counted(scene):
    scene.message("c1")
    scene.message("c2", sent_at=AS_OF - timedelta(days=6))
    scene.message("c3", sent_at=AS_OF - WINDOW)
    scene.applied("c2", AS_OF - timedelta(days=5))

    report = scene.report()
    rate = report.figures["conversion_rate"]

    assert (rate.numerator, rate.denominator, rate.excluded_count) == (0, 2, 1)
    assert (report.counts.converted, report.counts.immature) == (1, 1)


@pytest.mark.sql
def test_a_report_of_an_earlier_time_knows_nothing_later(scene):
    scene.message("c1")
    scene.message("c2", planned_at=SENT_AT, sent_at=SENT_AT + timedelta(days=20))
    scene.applied("c1", SENT_AT + timedelta(days=3))
    visit = scene.message("c3")
    LinkVisit.objects.create(link=scene.link, message=visit, at=SENT_AT + timedelta(days=4))

    counts = scene.report(as_of=SENT_AT + timedelta(days=2)).counts

    assert (counts.audience, counts.sent, counts.clicked, counts.converted) == (3, 2, 0, 0)


SKIPPED = {"state": "skipped", "reason": "no_consent", "sent_at": None, "delivered_at": None}
FAILED = {"state": "failed", "sent_at": None, "delivered_at": None}
BOUNCED = {"state": "bounced", "delivered_at": None}


def _columns_of(number):
    """30 delivered, 4 bounced, 2 failed, 4 refused for want of consent."""
    if number < 30:
        return {"cost_amount": Decimal("0.09")}
    if number < 34:
        return BOUNCED
    return FAILED if number < 36 else SKIPPED


def _fill(scene):
    """40 treated, 9 held out and one refused in the holdout; 15 apply; 6 click, one bot clicks."""
    for number in range(40):
        variant = scene.variants["AB"[number % 2]]
        scene.message(f"c{number}", variant=variant, **_columns_of(number))
    for number in range(40, 49):
        scene.held_out(f"c{number}")
    scene.held_out("c49", **SKIPPED)
    for number in [*range(12), 34, 36, 40]:
        scene.applied(f"c{number}", SENT_AT + timedelta(days=1))
    clicks = [(number, is_bot) for number in range(6) for is_bot in (False, False, True)]
    for number, is_bot in [*clicks, (20, True)]:
        message = Message.objects.get(customer=scene.people[f"c{number}"])
        at = SENT_AT + timedelta(hours=1)
        LinkVisit.objects.create(link=scene.link, message=message, at=at, is_bot=is_bot)


def _parts(figure):
    return figure.numerator, figure.denominator


@pytest.mark.sql
def test_counts_and_rates_equal_the_hand_table(scene):
    _fill(scene)

    report = scene.report()

    assert report.counts.to_json() == {
        "audience": 50,
        "eligible": 36,
        "held_out": 10,
        "exposed": 34,
        "sent": 34,
        "delivered": 30,
        "clicked": 6,
        "converted": 12,
        "converted_any_time": 12,
        "immature": 0,
    }
    figures = report.figures
    assert _parts(figures["conversion_rate"]) == (13, 36)
    assert _parts(figures["conversion_rate_sent"]) == (12, 34)
    assert _parts(figures["conversion_rate_delivered"]) == (12, 30)
    assert _parts(figures["conversion_rate_clicked"]) == (6, 6)
    assert _parts(figures["delivery_rate"]) == (30, 34)
    assert _parts(figures["click_rate"]) == (6, 30)
    assert _parts(figures["control_conversion_rate"]) == (1, 9)
    assert figures["lift"].value == pytest.approx(13 / 36 - 1 / 9)
    assert figures["incremental_conversions"].value == pytest.approx(13 - 36 / 9)
    # Newcombe method 10 by hand from the Wilson limits (.2248, .5243) and (.0199, .4350).
    assert figures["lift"].low == pytest.approx(
        0.25 - ((0.361111 - 0.224756) ** 2 + (0.434996 - 0.111111) ** 2) ** 0.5, abs=1e-4
    )
    assert figures["lift"].note == "not_identified"
    assert figures["cac_incremental"].value is None
    assert figures["roi"].value is None
    assert not report.allocation["holdout"].is_off
    assert report.allocation["variants"].observed == (30, 20)


@pytest.mark.sql
def test_variants_and_channels_add_up_to_the_whole(scene):
    _fill(scene)

    report = scene.report()
    variants = {part.key: part for part in report.variants}

    assert (variants["A"].counts.sent, variants["B"].counts.sent) == (17, 17)
    assert (variants["A"].counts.converted, variants["B"].counts.converted) == (6, 6)
    assert variants["A"].figures["conversion_rate"].filters == (("variant", "A"),)
    assert _parts(variants["A"].figures["control_conversion_rate"]) == (1, 9)
    (sms,) = report.channels
    assert (sms.key, sms.counts.sent, sms.counts.converted) == ("sms", 34, 12)


@pytest.mark.sql
def test_a_fallback_is_credited_to_the_channel_that_reached_the_person(scene):
    fallback = scene.step("email", position=2, is_fallback=True)
    scene.message("c1", state="bounced", delivered_at=None)
    scene.message("c1", fallback, sent_at=SENT_AT + timedelta(hours=2))
    refused = {"state": "skipped", "sent_at": None, "delivered_at": None}
    scene.message("c2", reason="unreachable", **refused)
    scene.message("c2", fallback, sent_at=SENT_AT + timedelta(hours=2))
    scene.held_out("c3", state="skipped", reason="unreachable")
    for key in ("c1", "c2"):
        scene.applied(key, SENT_AT + timedelta(days=3))

    report = scene.report()
    channels = {part.key: part.counts for part in report.channels}

    assert (channels["email"].sent, channels["email"].converted) == (2, 2)
    assert report.counts.eligible == 2
    assert _parts(report.figures["lift"]) == (2, 2)
    assert _parts(report.figures["control_conversion_rate"]) == (0, 1)
    assert ("population", "assigned") in report.figures["lift"].filters


@pytest.mark.sql
def test_without_a_holdout_there_is_no_lift(scene):
    scene.message("c1")
    scene.applied("c1", SENT_AT + timedelta(days=1))

    figures = scene.report().figures

    assert (figures["lift"].value, figures["lift"].note) == (None, "no_holdout")
    assert figures["cac_incremental"].note == "no_holdout"


@pytest.mark.sql
def test_nobody_gives_no_rate(scene):
    figures = scene.report().figures

    assert (figures["conversion_rate"].value, figures["conversion_rate"].note) == (None, "no_cases")
    assert figures["cac_fully_loaded"].value is None


@pytest.mark.sql
def test_the_number_of_queries_does_not_depend_on_the_number_of_people(
    scene, django_assert_num_queries
):
    scene.message("c0")
    scene.applied("c0", SENT_AT + timedelta(days=1))
    make_loan(scene, "c0", date(2026, 1, 12))
    with django_assert_num_queries(13):
        scene.report()
    for number in range(1, 40):
        scene.message(f"c{number}")
        scene.applied(f"c{number}", SENT_AT + timedelta(days=1))
        make_loan(scene, f"c{number}", date(2026, 1, 12))

    with django_assert_num_queries(13):
        scene.report()
