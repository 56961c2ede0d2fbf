"""The page that says why somebody got a message, or none."""

import random
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.channels import registry
from campaigns.models import Channel, LinkVisit, Message, Receipt, TrackedLink
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from customers.models import AttributeDefinition, AttributeValue, ConsentState, Customer
from loancrm.kernel import roles
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
PLAN_IS_GOLD = {
    "combinator": "and",
    "rules": [
        {"field": "attribute.points", "operator": ">=", "value": 10},
        {"field": "gender", "operator": "=", "value": "female"},
    ],
}


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def browser(*groups, language="en"):
    roles.ensure_roles()
    user = User.objects.create_user("-".join(groups) or "nobody", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def drain(now):
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)


def page(client, launched, person):
    url = reverse("why:person", args=[launched.campaign_id, person.pk])
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def points(people, *values):
    definition = AttributeDefinition.objects.create(name="points", value_type="number")
    AttributeValue.objects.bulk_create(
        AttributeValue(
            customer=person, definition=definition, number=value, updated_at=person.created_at
        )
        for person, value in zip(people, values, strict=True)
    )
    return definition


def test_f15_the_page_shows_rule_arm_gates_price_text_and_receipts(actor, now):
    make_channel(cost_per_part="0.0300")
    people = make_people(2)
    points(people, 12, 3)
    launched = make_launched(actor, now, segment={"rule": PLAN_IS_GOLD})
    drain(now)
    message = Message.objects.get()
    assert message.customer_id == people[0].pk
    Receipt.objects.create(
        channel=Channel.objects.get(),
        provider_event_id="e1",
        kind="delivered",
        message=message,
        occurred_at=now,
        received_at=now,
        detail="250 OK",
        is_applied=True,
    )
    link = TrackedLink.objects.get()
    for is_bot in (True, True, False):
        LinkVisit.objects.create(link=link, message=message, at=now, is_bot=is_bot)
    AttributeValue.objects.filter(customer=people[0]).update(
        number=4, updated_at=now + timedelta(hours=1)
    )
    shown = page(browser("compliance"), launched, people[0])
    for words in (
        "points",
        "variant A",
        "¥0.0300",
        "250 OK",
        "https://example.com/offer",
        "尊敬的{{ name }}",
        "every gate let it pass",
        "Show exact text",
    ):
        assert words in shown
    assert "客户1" not in shown
    assert "p1@example.com" not in shown
    assert ">12<" in shown
    assert ">4<" in shown


def test_f15_who_was_not_chosen_reads_which_condition_failed_then_and_now(actor, now):
    make_channel()
    people = make_people(2)
    points(people, 12, 3)
    launched = make_launched(actor, now, segment={"rule": PLAN_IS_GOLD})
    drain(now)
    AttributeValue.objects.filter(customer=people[1]).update(
        number=50, updated_at=now + timedelta(hours=1)
    )
    shown = page(browser("marketer"), launched, people[1])
    assert "did not meet the conditions marked below" in shown
    assert shown.count("not met") == 1
    assert ">3<" in shown
    assert ">50<" in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda person: ConsentState.objects.filter(customer=person).delete(), "No consent"),
        (lambda person: Message.objects.update(is_control=True), "drawn into the control group"),
        (
            lambda person: Customer.objects.update(marketing_status="dispute"),
            "got no message",
        ),
    ],
)
def test_f15_who_was_refused_reads_by_which_gate(actor, now, change, words):
    make_channel()
    [person] = make_people(1)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    change(person)
    drain(now)
    shown = page(browser("compliance"), launched, person)
    assert words in shown
    assert "not asked" in shown or "held back" in shown
    assert "Show exact text" not in shown


def test_f15_somebody_who_came_later_reads_so(actor, now):
    make_channel()
    make_people(1)
    launched = make_launched(actor, now)
    drain(now)
    [late] = make_people(1, prefix="q", created_at=now + timedelta(days=1))
    assert "not stored here yet" in page(browser("marketer"), launched, late)


def test_f15_exact_text_takes_a_reason_and_the_right_to_reveal(actor, now):
    make_channel()
    [person] = make_people(1)
    launched = make_launched(actor, now)
    drain(now)
    message = Message.objects.get()
    kept = message.texts.get()
    url = reverse("why:text", args=[kept.pk])
    marketer = browser("marketer")
    assert "Show exact text" not in page(marketer, launched, person)
    assert marketer.post(url, {"reason": "complaint 17"}).status_code == 403
    compliance = browser("compliance")
    assert "客户1" not in compliance.post(url, {"reason": ""}).content.decode()
    shown = compliance.post(url, {"reason": "complaint 17"}).content.decode()
    assert "尊敬的客户1女士" in shown
    assert AuditEntry.objects.get(action="customer.read_text").object_id == str(person.pk)


def test_f15_strangers_see_nothing_and_ways_lead_there(actor, now):
    make_channel()
    [person] = make_people(1)
    launched = make_launched(actor, now)
    drain(now)
    url = reverse("why:person", args=[launched.campaign_id, person.pk])
    assert browser().get(url).status_code == 403
    marketer = browser("marketer")
    found = marketer.get(reverse("why:find", args=[launched.campaign_id]), {"customer": "p1"})
    assert found.headers["Location"] == url
    nobody = marketer.get(reverse("why:find", args=[launched.campaign_id]), {"customer": "zzz"})
    assert "/why/" not in nobody.headers["Location"]
    by_message = marketer.get(reverse("why:message", args=[Message.objects.get().pk]))
    assert by_message.headers["Location"] == url
    listed = marketer.get(reverse("admin:campaigns_customer_messages", args=[person.pk]))
    assert reverse("why:message", args=[Message.objects.get().pk]) in listed.content.decode()


def test_f15_the_page_asks_a_fixed_number_of_queries(actor, now):
    make_channel()
    people = make_people(3)
    points(people, 12, 13, 14)
    launched = make_launched(actor, now, segment={"rule": PLAN_IS_GOLD})
    drain(now)
    client = browser("compliance")
    page(client, launched, people[0])
    counts = []
    for receipts in (0, 5):
        for number in range(receipts):
            Receipt.objects.create(
                channel=Channel.objects.get(),
                provider_event_id=f"e{number}",
                kind="delivered",
                message=Message.objects.get(customer=people[0]),
                occurred_at=now,
                received_at=now,
            )
        with CaptureQueriesContext(connection) as asked:
            page(client, launched, people[0])
        counts.append(len(asked))
    assert counts[0] == counts[1]
