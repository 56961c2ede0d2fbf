"""A complaint, by whatever way it came, keeps marketing away from the person who made it."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse

from campaigns.channels import registry
from campaigns.models import Message, Suppression
from campaigns.services.campaigns import ticking
from campaigns.services.consents import complaints, stop_list_keeping
from campaigns.services.sending import dispatch
from customers.domain.events.event import EventName, ReportedEvent
from customers.models import ConsentState
from customers.services.events import log
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import EMAIL, SMS, make_channel, make_launched
from tests.factories.people import make_people
from tests.integration.campaigns.services.sending.between import meanwhile

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def complain(person, now, *, at=None, key="c1", name=EventName.COMPLAINT_MADE):
    log.append_events(
        events=[
            ReportedEvent(
                source="call_centre",
                external_id="",
                customer_id=person.pk,
                name=name,
                occurred_at=at or now,
                dedup_key=key,
            )
        ],
        now=now,
    )


def drain(now):
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60.0)
    ticking.advance(now=now)


def outcomes():
    return Counter(Message.objects.values_list("state", "reason"))


def test_s21_a_complaint_stops_the_message_of_a_running_campaign(actor, now):
    make_channel(options={"supports_idempotency": False})
    people = make_people(6)
    run = make_launched(actor, now)
    complain(people[2], now)
    assert complaints.stop_complainers(actor=actor, now=now) == 1
    drain(now)
    assert outcomes() == {("sent", ""): 5, ("skipped", "suppressed"): 1}
    assert run.messages.get(customer=people[2]).reason == "suppressed"


def test_s21_a_complaint_between_decision_and_handing_over_is_heard(actor, now, monkeypatch):
    make_channel(options={"supports_idempotency": False})
    people = make_people(6)
    run = make_launched(actor, now)

    def angry():
        complain(people[4], now)
        complaints.stop_complainers(actor=actor, now=now)

    meanwhile(monkeypatch, people[4], angry)
    drain(now)
    assert run.messages.get(customer=people[4]).reason == "suppressed"
    assert run.messages.filter(state="sent").count() == 5


def test_s21_a_complaint_on_one_channel_keeps_the_later_step_of_another_away(actor, now):
    make_channel("sms", options={"supports_idempotency": False})
    make_channel(options={"supports_idempotency": False})
    people = make_people(5)
    make_launched(
        actor,
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=EMAIL,
        fallback_after_minutes=30,
    )
    drain(now)
    Message.objects.update(state="failed", reason="channel_refused")
    complain(people[0], now + timedelta(minutes=1))
    later = now + timedelta(minutes=31)
    complaints.stop_complainers(actor=actor, now=later)
    drain(later)
    fallen = Message.objects.filter(dispatch__channel_kind="email")
    assert set(fallen.filter(state="sent").values_list("customer_id", flat=True)) == {
        person.pk for person in people[1:]
    }


def test_the_stop_is_of_all_channels_and_leaves_the_consent(actor, now):
    person, _other = make_people(2)
    complain(person, now)
    complaints.stop_complainers(actor=actor, now=now)
    stop = Suppression.objects.get()
    assert (stop.customer_id, stop.channel, stop.purpose) == (person.pk, "", "marketing")
    assert (stop.reason, stop.source) == ("complained", "complaint")
    assert ConsentState.objects.filter(customer=person, is_granted=True).count() == 2
    entry = AuditEntry.objects.get(action="contacts.stop")
    assert entry.facts["added"] == 1


@pytest.mark.parametrize(
    ("name", "age", "stopped"),
    [
        (EventName.COMPLAINT_MADE, 364, 1),
        (EventName.COMPLAINT_MADE, 366, 0),
        (EventName.APP_LOGIN, 0, 0),
    ],
)
def test_only_a_complaint_of_the_last_year_stops(actor, now, name, age, stopped):
    complain(make_people(1)[0], now, at=now - timedelta(days=age), name=name)
    assert complaints.stop_complainers(actor=actor, now=now) == stopped


def test_a_repeated_run_and_a_second_complaint_add_nothing_while_the_stop_is_in_force(actor, now):
    person = make_people(1)[0]
    complain(person, now)
    assert complaints.stop_complainers(actor=actor, now=now) == 1
    complain(person, now + timedelta(hours=1), key="c2")
    assert complaints.stop_complainers(actor=actor, now=now + timedelta(hours=1)) == 0
    assert Suppression.objects.count() == 1


def test_an_ended_stop_stays_ended_until_the_person_complains_again(actor, now):
    person = make_people(1)[0]
    complain(person, now)
    complaints.stop_complainers(actor=actor, now=now)
    complain(person, now + timedelta(hours=1), key="c2")
    day = now + timedelta(days=1)
    stop_list_keeping.lift(
        actor=actor, ids=[Suppression.objects.get().pk], reason="settled with the person", now=day
    )
    assert complaints.stop_complainers(actor=actor, now=day) == 0
    complain(person, day + timedelta(minutes=1), key="c3")
    assert complaints.stop_complainers(actor=actor, now=day + timedelta(minutes=2)) == 1


def test_a_weaker_stop_of_all_channels_becomes_one_for_the_complaint(actor, now):
    person = make_people(1)[0]
    Suppression.objects.create(
        customer=person, purpose="marketing", reason="by_hand", at=now - timedelta(days=9)
    )
    complain(person, now)
    assert complaints.stop_complainers(actor=actor, now=now) == 1
    assert Suppression.objects.get().reason == "complained"
    assert complaints.stop_complainers(actor=actor, now=now) == 0


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", "客户投诉"), ("en", "The person complained")]
)
def test_the_customers_page_says_that_the_person_complained(
    actor, now, admin_client, language, words
):
    person = make_people(1)[0]
    complain(person, now)
    complaints.stop_complainers(actor=actor, now=now)
    page = admin_client.get(
        reverse("admin:campaigns_customer_contact", args=[person.pk]),
        headers={"accept-language": language},
    )
    text = page.content.decode()
    assert words in text
    assert "complained" not in text or language == "en"
