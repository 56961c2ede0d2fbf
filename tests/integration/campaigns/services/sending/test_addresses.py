from datetime import timedelta

import pytest

from campaigns.domain.receipts import refusal_rules
from campaigns.models import Message, SoftBounce
from campaigns.services.sending import addresses
from customers.models import ContactPoint
from tests.factories.people import make_people
from tests.factories.sent import make_sent

pytestmark = pytest.mark.django_db


def _point(person, kind="email"):
    return ContactPoint.objects.get(customer=person, kind=kind, is_primary=True)


def _statuses(kind="email"):
    points = ContactPoint.objects.filter(kind=kind).order_by("customer_id")
    return list(points.values_list("status", flat=True))


def test_only_refusals_about_the_address_mark_it(now):
    people = make_people(6)
    said = [
        ("5.1.1", ""),
        ("5.7.1", "blocked by policy"),
        ("550", ""),
        ("number_invalid", ""),
        ("signature_missing", ""),
        ("550", "User not found: <address>"),
    ]
    marked = addresses.mark_refused(
        refusals=[
            addresses.refusal(
                message_id=number, contact_point_id=_point(person).pk, code=code, words=words
            )
            for number, (person, (code, words)) in enumerate(zip(people, said, strict=True))
        ],
        now=now,
    )
    assert marked == 3
    assert _statuses() == ["bounced", "active", "active", "invalid", "active", "bounced"]
    assert set(_statuses("phone")) == {"active"}


def test_what_was_written_to_is_blamed_and_not_what_the_person_has_now(now):
    (person,) = make_people(1)
    old = _point(person)
    ContactPoint.objects.filter(pk=old.pk).update(is_primary=False)
    new = ContactPoint.objects.create(
        customer=person, kind="email", value_sealed=b"x", value_index="new", created_at=now
    )
    refusal = addresses.refusal(message_id=1, contact_point_id=old.pk, code="5.1.1")
    assert addresses.mark_refused(refusals=[refusal], now=now) == 1
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.status, new.status) == ("bounced", "active")


def test_a_dead_address_is_dead_for_everybody_who_has_it(now):
    first, second = make_people(2)
    point = _point(first)
    twin = ContactPoint.objects.create(
        customer=second,
        kind="email",
        value_sealed=b"x",
        value_index=point.value_index,
        is_primary=False,
        created_at=now,
    )
    refusal = addresses.refusal(message_id=1, contact_point_id=point.pk, code="5.1.1")
    assert addresses.mark_refused(refusals=[refusal], now=now) == 2
    twin.refresh_from_db()
    assert twin.status == "bounced"
    assert _point(second).status == "active"


def test_an_address_that_is_not_known_blames_nobody(now):
    make_people(1)
    refusal = addresses.refusal(message_id=1, contact_point_id=None, code="5.1.1")
    assert addresses.mark_refused(refusals=[refusal], now=now) == 0
    assert _statuses() == ["active"]


def test_g3_an_address_that_is_full_again_and_again_goes_out_of_use(actor, now):
    _channel, messages = make_sent(actor, now, count=refusal_rules.SOFT_BOUNCES + 1)
    point = _point(messages[0].customer)

    def bounce(message, at):
        soft = addresses.refusal(
            message_id=message.pk, contact_point_id=point.pk, code="5.2.2", words="mailbox full"
        )
        return addresses.mark_refused(refusals=[soft], now=at)

    # Far enough apart, or the same message again, they do not add up.
    assert bounce(messages[0], now - timedelta(days=refusal_rules.SOFT_BOUNCE_DAYS + 1)) == 0
    for message in messages[1:-1]:
        assert bounce(message, now) == 0
        assert bounce(message, now) == 0
    point.refresh_from_db()
    assert point.status == "active"
    assert bounce(messages[-1], now) == 1
    point.refresh_from_db()
    assert point.status == "bounced"
    assert SoftBounce.objects.count() == len(messages)


def test_b5_a_message_knows_what_it_was_written_to(actor, now):
    _channel, messages = make_sent(actor, now, count=3)
    for message in messages:
        assert message.contact_point_id == _point(message.customer).pk
    assert not Message.objects.filter(contact_point_id__isnull=True).exists()
