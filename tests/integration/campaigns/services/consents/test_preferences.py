import pytest

from campaigns.channels import registry
from campaigns.models import Suppression
from campaigns.services.consents import preferences
from customers.models import ConsentRecord, ConsentState, Event
from customers.services.consents import ledger
from customers.services.consents.ledger import Withdrawal
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.models import AuditEntry
from tests.factories.people import make_people
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def test_opting_out_a_hundred_times_is_opting_out_once(actor, now):
    _channel, (message, other) = make_sent(actor, now, count=2)
    entries = AuditEntry.objects.count()
    for _again in range(100):
        assert preferences.opt_out(
            actor=actor, message_id=message.pk, source="unsubscribe_link", now=now
        )
    stop = Suppression.objects.get()
    assert (stop.customer_id, stop.channel, stop.purpose) == (
        message.customer_id,
        "email",
        "marketing",
    )
    assert Event.objects.filter(type__name="opted_out").count() == 1
    assert ConsentRecord.objects.filter(is_granted=False).count() == 1
    assert AuditEntry.objects.count() == entries + 1
    assert ConsentState.objects.filter(customer=other.customer, is_granted=False).count() == 0


def test_opting_out_for_a_message_that_does_not_exist_changes_nothing(actor, now):
    assert not preferences.opt_out(actor=actor, message_id=12345, source="x", now=now)
    assert not Suppression.objects.exists()


def test_opting_out_needs_an_actor(actor, now):
    _channel, (message,) = make_sent(actor, now, count=1)
    with pytest.raises(PermissionRefused):
        preferences.opt_out(actor=None, message_id=message.pk, source="x", now=now)
    assert not Suppression.objects.exists()


def test_a_withdrawal_is_recorded_once_and_in_force_at_once(actor, now):
    person, other = make_people(2)
    withdrawal = Withdrawal(person.pk, "sms", "marketing", "hotline", "call 77")
    assert ledger.withdraw(actor=actor, withdrawals=[withdrawal, withdrawal], now=now) == 1
    assert ledger.withdraw(actor=actor, withdrawals=[withdrawal], now=now) == 0
    record = ConsentRecord.objects.get()
    assert (record.is_granted, record.source, record.evidence, record.at) == (
        False,
        "hotline",
        "call 77",
        now,
    )
    states = dict(ConsentState.objects.filter(customer=person).values_list("channel", "is_granted"))
    assert states == {"email": True, "sms": False}
    assert ConsentState.objects.filter(customer=other, is_granted=True).count() == 2


def test_a_refusal_without_any_consent_before_is_recorded_too(actor, now):
    (person,) = make_people(1, consents=())
    ledger.withdraw(
        actor=actor, withdrawals=[Withdrawal(person.pk, "sms", "marketing", "reply")], now=now
    )
    assert ConsentState.objects.get().is_granted is False


def test_withdrawing_needs_an_actor(now):
    (person,) = make_people(1)
    with pytest.raises(PermissionRefused):
        ledger.withdraw(
            actor=None, withdrawals=[Withdrawal(person.pk, "sms", "marketing", "x")], now=now
        )
    assert not ConsentRecord.objects.exists()
