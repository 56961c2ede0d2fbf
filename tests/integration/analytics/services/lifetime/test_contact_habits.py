"""Habits of stored events: counted in the customer's own zone, kept as scores, used by rules."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics import tasks
from analytics.selectors.lifetime import contact_facts
from analytics.services.lifetime import contact_habits
from customers.models import Customer, Event, EventType, Score
from customers.selectors.segments.catalogue import catalogue_for_builder
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, user_actor
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def _events(person, name, times, *, channel="", subject="", at=None):
    kind, _created = EventType.objects.get_or_create(name=name)
    Event.objects.bulk_create(
        Event(
            customer=person,
            type=kind,
            occurred_at=moment,
            received_at=moment,
            channel=channel,
            subject=subject.format(number=number),
            source="test",
            dedup_key=f"{person.pk}-{name}-{moment}-{number}-{channel}",
        )
        for number, moment in enumerate([at] * times if at else times)
    )


def _hours(person, hour, count):
    """Let somebody be there at an hour of UTC, on as many days."""
    days = [DAY - timedelta(days=back) + timedelta(hours=hour) for back in range(count)]
    _events(person, "app_login", days)


def _scores(name):
    rows = Score.objects.filter(model_name=name, is_latest=True)
    return {key: float(value) for key, value in rows.values_list("customer_id", "value")}


def test_s79_the_hour_is_the_customers_own(actor, now):
    shanghai, london, nowhere, private = make_people(4)
    Customer.objects.filter(pk=london.pk).update(time_zone="Europe/London")
    Customer.objects.filter(pk=nowhere.pk).update(time_zone="No/Where")
    Customer.objects.filter(pk=private.pk).update(personalisation_allowed=False)
    for person in (shanghai, london, nowhere, private):
        _hours(person, 12, 40)
    found = contact_habits.describe_contact_habits(actor=actor, now=now)
    assert found.with_hour == 3
    # Noon of UTC is 20:00 in Shanghai, the company's zone, and 12:00 in London in winter.
    assert _scores("best_send_hour") == {shanghai.pk: 20, london.pk: 12, nowhere.pk: 20}


def test_s79_half_hours_and_summer_time_are_the_zones(actor, now):
    kolkata, berlin = make_people(2)
    Customer.objects.filter(pk=kolkata.pk).update(time_zone="Asia/Kolkata")
    Customer.objects.filter(pk=berlin.pk).update(time_zone="Europe/Berlin")
    july = datetime(2025, 7, 1, 12, 40, tzinfo=UTC)
    for person in (kolkata, berlin):
        _events(person, "page_viewed", [july + timedelta(days=day) for day in range(30)])
    contact_habits.describe_contact_habits(actor=actor, now=now)
    assert _scores("best_send_hour") == {kolkata.pk: 18, berlin.pk: 14}


def test_s79_few_events_lean_on_the_stage(actor, now):
    *crowd, newcomer, other = make_people(12)
    Customer.objects.filter(pk=other.pk).update(lifecycle_stage="dormant")
    for person in crowd:
        _hours(person, 2, 30)
    _hours(newcomer, 8, 1)
    _hours(other, 8, 1)
    contact_habits.describe_contact_habits(actor=actor, now=now)
    hours = _scores("best_send_hour")
    assert hours[newcomer.pk] == 10
    assert hours[other.pk] == 16


def test_s79_the_channel_is_responses_to_messages_towards_the_stage(actor, now):
    keen, cold, click_only = make_people(3)
    sent = [now - timedelta(days=day) for day in range(1, 41)]
    for person in (keen, cold):
        _events(person, "message_sent", sent, channel="sms")
    _events(keen, "link_clicked", sent[:30], channel="sms", subject="c{number}")
    # Two links of one campaign are one response.
    _events(keen, "link_clicked", 1, channel="sms", subject="c0", at=now - timedelta(hours=3))
    _events(click_only, "link_clicked", sent[:2], channel="email", subject="c{number}")
    found = contact_habits.describe_contact_habits(actor=actor, now=now)
    assert found.with_channel == 2
    usual = 31 / 82
    assert _scores("channel_propensity.sms") == {
        keen.pk: pytest.approx((30 + 20 * usual) / 60, abs=1e-4),
        cold.pk: pytest.approx(20 * usual / 60, abs=1e-4),
    }
    assert _scores("channel_propensity.email") == {}


def test_older_than_a_year_is_no_habit(actor, now):
    person = make_people(1)[0]
    _events(person, "app_login", 5, at=now - timedelta(days=366))
    _events(person, "message_sent", 5, channel="sms", at=now - timedelta(days=366))
    found = contact_habits.describe_contact_habits(actor=actor, now=now)
    assert (found.with_hour, found.with_channel) == (0, 0)


def test_a_repeated_run_adds_nothing_and_who_is_gone_has_no_score(actor, now):
    first, second = make_people(2)
    for person in (first, second):
        _hours(person, 12, 5)
    contact_habits.describe_contact_habits(actor=actor, now=now)
    contact_habits.describe_contact_habits(actor=actor, now=now)
    assert Score.objects.count() == 2
    Customer.objects.filter(pk=second.pk).update(personalisation_allowed=False)
    contact_habits.describe_contact_habits(actor=actor, now=now)
    assert set(_scores("best_send_hour")) == {first.pk}


def test_the_queries_do_not_grow_with_people(now):
    few = make_people(2)
    for person in few:
        _hours(person, 12, 2)

    def count():
        with CaptureQueriesContext(connection) as asked:
            list(contact_facts.hour_counts(now=now, company_zone=clock.company_zone()))
            list(contact_facts.channel_counts(now=now))
        return len(asked)

    before = count()
    for person in make_people(20, prefix="q"):
        _hours(person, 12, 2)
    assert count() == before


@pytest.mark.parametrize(
    ("field", "operator", "value", "count"),
    [
        ("score.best_send_hour", "=", 20, 1),
        ("score.best_send_hour", "<", 12, 0),
        ("score.channel_propensity.sms", "<", 0.5, 1),
        ("score.channel_propensity.sms", ">", 0.5, 0),
    ],
)
def test_rules_can_ask_for_the_scores(actor, now, field, operator, value, count):
    person = make_people(1)[0]
    _hours(person, 12, 5)
    _events(person, "message_sent", 3, channel="sms", at=now - timedelta(days=1))
    contact_habits.describe_contact_habits(actor=actor, now=now)
    rule = {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}
    assert versions.audience_queryset(rule, now=now).count() == count


@pytest.mark.parametrize(
    ("language", "words"), [("en", "response by SMS"), ("zh-hans", "短信响应率")]
)
def test_the_builder_offers_them_in_words(actor, now, language, words):
    person = make_people(1)[0]
    _events(person, "message_sent", 3, channel="sms", at=now - timedelta(days=1))
    contact_habits.describe_contact_habits(actor=actor, now=now)
    groups = catalogue_for_builder(language=language)["fields"]
    labels = {field["name"]: field["label"] for group in groups for field in group["options"]}
    assert labels["score.channel_propensity.sms"] == words


def test_the_job_describes(actor, now, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: now)
    _hours(make_people(1)[0], 12, 3)
    tasks.describe_contact_habits()
    assert Score.objects.filter(model_name="best_send_hour").count() == 1


def test_only_who_may_add_scores_describes(now):
    nobody = user_actor(User.objects.create_user("nobody"))
    with pytest.raises(PermissionRefused):
        contact_habits.describe_contact_habits(actor=nobody, now=now)
