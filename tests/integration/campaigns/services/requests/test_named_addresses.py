"""Who is named by an address is written to there and nowhere else."""

import random

import pytest

from campaigns.channels import registry
from campaigns.domain.requests.call import RequestPriority
from campaigns.models import Message, Suppression
from campaigns.services.campaigns import ticking
from campaigns.services.requests import receiving
from campaigns.services.requests.receiving import RequestRow
from campaigns.services.sending import dispatch
from customers.models import ContactPoint
from customers.services.identity import merging
from loancrm.kernel.security import crypto
from tests.factories.campaigns import make_channel
from tests.factories.people import LONG_AGO, make_people
from tests.factories.templates import make_own_system, make_template

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
NAMED = "+8613800138000"
OTHER = "+8613900139000"


def give_number(person, number, *, is_primary):
    if is_primary:
        person.contact_points.filter(kind="phone").update(is_primary=False)
    vault = crypto.vault()
    point = ContactPoint(customer=person, kind="phone", is_primary=is_primary, created_at=LONG_AGO)
    point.value_sealed = vault.seal(ContactPoint.VALUE_COLUMN, point.row_key, number)
    point.value_index = vault.blind_index(ContactPoint.VALUE_COLUMN, number)
    point.save()
    return point


@pytest.fixture
def person(db):
    (one,) = make_people(1, kinds=("email",))
    give_number(one, NAMED, is_primary=True)
    return one


@pytest.fixture
def ask(actor, now):
    make_template(make_channel("sms"), now)
    core = make_own_system(actor, now)

    def call(**named):
        row = RequestRow(index=0, variables={"code": "482913"}, **named)
        return receiving.receive(
            partner=core,
            template_slug="login-code",
            priority=RequestPriority.URGENT,
            rows=[row],
            actor=actor,
            now=now,
        )

    return call


def drain(now):
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=now)
    provider = registry.shared(name="sms-memory", backend="memory", options={})
    return [sent.to for sent in provider.delivered], Message.objects.get()


def test_a_new_primary_number_takes_nothing_of_what_was_named(person, ask, now):
    ask(phone=NAMED)
    give_number(person, OTHER, is_primary=True)
    assert drain(now)[0] == [NAMED]


def test_who_is_named_by_id_is_written_to_where_she_is_reached_by_then(person, ask, now):
    ask(customer=person.public_id)
    give_number(person, OTHER, is_primary=True)
    assert drain(now)[0] == [OTHER]


def test_an_address_that_is_gone_is_told_and_nobody_is_written_to(person, ask, now):
    ask(phone=NAMED)
    give_number(person, OTHER, is_primary=True)
    person.contact_points.filter(kind="phone", is_primary=False).delete()
    sent, message = drain(now)
    assert (sent, message.state, message.reason) == ([], "skipped", "address_gone")


@pytest.mark.parametrize("how", ["bounced", "suppressed"])
def test_an_address_that_takes_nothing_is_not_replaced(how, person, ask, now):
    ask(phone=NAMED)
    give_number(person, OTHER, is_primary=True)
    named = person.contact_points.filter(kind="phone", is_primary=False)
    if how == "bounced":
        named.update(status="bounced")
    else:
        index = named.get().value_index
        Suppression.objects.create(value_index=index, reason="opted_out", at=now)
    sent, message = drain(now)
    assert (sent, message.state, message.reason) == ([], "skipped", how)


def test_a_merged_record_takes_its_named_address_along(person, ask, actor, now):
    ask(phone=NAMED)
    (kept,) = make_people(1, prefix="k")
    give_number(kept, NAMED, is_primary=False)
    merging.merge(kept_id=kept.pk, other_id=person.pk, actor=actor, now=now)
    assert drain(now)[0] == [NAMED]
