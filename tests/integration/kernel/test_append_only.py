"""The database itself refuses to change or remove what is only ever added."""

import pytest
from django.db import IntegrityError, transaction

from customers.models import ConsentRecord
from loancrm.kernel import append_only, audit
from loancrm.kernel.models import AuditEntry
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def _guarded(db):
    append_only.install()


def _record(person, now):
    return ConsentRecord.objects.create(
        customer=person,
        channel="sms",
        purpose="marketing",
        is_granted=True,
        source="core",
        at=now,
        recorded_at=now,
    )


@pytest.mark.usefixtures("_guarded")
def test_e10_the_audit_trail_refuses_update_and_delete(actor, now):
    entry = audit.record(actor=actor, action="a", object_type="thing", object_id=1, now=now)
    rows = AuditEntry.objects.filter(pk=entry.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(reason="another")
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.delete()
    assert audit.verify().is_intact


@pytest.mark.usefixtures("_guarded")
def test_e10_the_consent_ledger_refuses_update_and_delete(now):
    (person,) = make_people(1)
    row = _record(person, now)
    rows = ConsentRecord.objects.filter(pk=row.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(is_granted=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.delete()
    assert rows.get().is_granted


@pytest.mark.usefixtures("_guarded")
def test_e10_the_lawful_door_opens_for_removal_only_and_closes_again(now):
    first, second = make_people(2)
    _record(first, now)
    kept = _record(second, now)
    with append_only.removal():
        with pytest.raises(IntegrityError), transaction.atomic():
            ConsentRecord.objects.filter(pk=kept.pk).update(source="x")
        first.delete()
    assert ConsentRecord.objects.get() == kept
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentRecord.objects.filter(pk=kept.pk).delete()
    assert append_only.missing() == []


def test_e10_tables_without_their_guard_are_named():
    assert sorted(append_only.missing()) == [
        "campaigns_ledgerentry",
        "customers_consentrecord",
        "kernel_auditentry",
    ]
    append_only.install()
    append_only.install()
    assert append_only.missing() == []
