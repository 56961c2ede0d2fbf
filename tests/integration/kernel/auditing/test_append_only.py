"""The database itself refuses to change or remove what is only ever added."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from campaigns.models import LedgerEntry
from customers.models import ConsentRecord
from loancrm.kernel.auditing import append_only, audit
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


def _columns(model, **changed):
    names = [field.column for field in model._meta.fields]
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    return ", ".join(f'"{name}"' for name in names), values


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("model", [AuditEntry, ConsentRecord, LedgerEntry])
def test_e10_no_table_that_is_only_added_to_can_be_emptied_at_once(model):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    table = model._meta.db_table
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute(f"TRUNCATE {table} CASCADE")
    with (
        append_only.removal(),
        connection.cursor() as cursor,
        pytest.raises(IntegrityError),
        transaction.atomic(),
    ):
        cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.usefixtures("_guarded")
def test_e10_emptying_another_table_takes_no_consent_along(now):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    (person,) = make_people(1)
    _record(person, now)
    # What is still to be checked at the end of the transaction stops a TRUNCATE of its own.
    connection.check_constraints()
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute("TRUNCATE customers_customer CASCADE")
    assert ConsentRecord.objects.exists()


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("key", ["id", "entry_hash"])
def test_e10_no_entry_can_be_replaced(actor, now, key):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has no REPLACE")
    entry = audit.record(actor=actor, action="a", object_type="thing", object_id=1, now=now)
    changed = {"action": "'forged'"} | ({"id": "id + 9"} if key == "entry_hash" else {})
    names, values = _columns(AuditEntry, **changed)
    table = AuditEntry._meta.db_table
    for words in ("REPLACE", "INSERT OR REPLACE"):
        with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(f"{words} INTO {table} ({names}) SELECT {values} FROM {table}")  # noqa: S608
    assert AuditEntry.objects.get() == entry
    assert audit.verify().is_intact


@pytest.mark.usefixtures("_guarded")
def test_e10_guarded_tables_still_take_new_rows(actor, now):
    (person,) = make_people(1)
    for number in range(3):
        audit.record(actor=actor, action="a", object_type="thing", object_id=number, now=now)
        _record(person, now + timedelta(days=number))
    ConsentRecord.objects.bulk_create(
        [
            ConsentRecord(
                customer=person,
                channel="sms",
                purpose="marketing",
                is_granted=False,
                source="core",
                at=now + timedelta(days=9),
                recorded_at=now,
            )
        ]
    )
    assert (AuditEntry.objects.count(), ConsentRecord.objects.count()) == (3, 4)


_HALF = {
    "postgresql": {
        "deletion_alone": "CREATE OR REPLACE TRIGGER append_only BEFORE DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION loancrm_append_only()",
        "one_column": "CREATE OR REPLACE TRIGGER append_only BEFORE DELETE OR UPDATE OF at"
        " ON {table} FOR EACH ROW EXECUTE FUNCTION loancrm_append_only()",
        "condition": "CREATE OR REPLACE TRIGGER append_only BEFORE DELETE OR UPDATE ON {table}"
        " FOR EACH ROW WHEN (OLD.id < 0) EXECUTE FUNCTION loancrm_append_only()",
        "switched_off": "ALTER TABLE {table} DISABLE TRIGGER append_only",
        "replica": "ALTER TABLE {table} ENABLE REPLICA TRIGGER append_only",
        "no_truncate": "DROP TRIGGER append_only_truncate ON {table}",
        "function": "CREATE OR REPLACE FUNCTION loancrm_append_only() RETURNS trigger"
        " LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    },
    "sqlite": {
        "nothing_happens": "CREATE TRIGGER append_only_update_{table} BEFORE UPDATE ON {table}"
        " BEGIN SELECT 1; END",
        "condition": "CREATE TRIGGER append_only_update_{table} BEFORE UPDATE ON {table}"
        " WHEN 0 BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END",
        "no_insert": "",
    },
}


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("half", sorted({*_HALF["postgresql"], *_HALF["sqlite"]}))
def test_e10_a_guard_that_guards_half_is_none_and_is_put_right(half):
    statement = _HALF[connection.vendor].get(half)
    if statement is None:
        pytest.skip("another database's way")
    table = AuditEntry._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            event = "insert" if half == "no_insert" else "update"
            cursor.execute(f"DROP TRIGGER append_only_{event}_{table}")
        if statement:
            cursor.execute(statement.format(table=table))
    assert table in append_only.missing()
    append_only.install()
    assert append_only.missing() == []
