import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from customers.models import ContactPoint, Customer
from customers.selectors.profile import search
from loancrm.kernel import clock
from loancrm.kernel.models import AuditEntry, KeyRecord, KeyRotation
from loancrm.kernel.security import crypto, keys, rotation
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
OLD = bytes(range(32))
NEW = bytes(range(32, 64))


@pytest.fixture
def people():
    return make_people(25)


@pytest.fixture
def _both_keys(people, settings):
    keys.note_active_key()
    settings.LOANCRM_KEYS = {"t2": NEW, "t1": OLD}


def _key_ids(model, field):
    return [crypto.key_id_of(value) for value in model.objects.values_list(field, flat=True)]


def _names():
    vault = crypto.vault()
    return [
        vault.open(Customer.NAME_COLUMN, row.public_id, row.name_sealed)
        for row in Customer.objects.order_by("pk")
    ]


def test_k5_the_stored_bytes_hold_no_phone_and_equality_is_found(people):
    with connection.cursor() as cursor:
        cursor.execute("SELECT value_sealed, value_index FROM customers_contactpoint")
        stored = b"".join(bytes(sealed) + index.encode() for sealed, index in cursor.fetchall())
    assert b"example.com" not in stored
    assert b"+861" not in stored
    point = ContactPoint.objects.filter(kind="email").order_by("pk").first()
    found = Customer.objects.filter(search.matching("p1@example.com", today=clock.today()))
    assert list(found) == [point.customer]


def test_k5_every_sealed_column_of_every_table_is_known():
    names = {column.name for column in rotation.sealed_columns()}
    assert {
        "customers.customer.name",
        "customers.customer.national_id",
        "customers.contactpoint.value",
        "customers.privacyrequest.details",
        "customers.rejectedrow.cells",
        "campaigns.channel.secret",
    } <= names
    assert len(names) == len(rotation.sealed_columns())


@pytest.mark.usefixtures("_both_keys")
def test_k5_rotation_seals_everything_anew_and_the_old_key_can_go(people, capsys, settings):
    before = _names()
    call_command("rotate_keys", "--json", "--batch", "7")
    report = json.loads(capsys.readouterr().out)
    assert report["sealed_anew"] == 25 + 50
    assert (report["old_key_values"], report["refused_values"]) == (0, 0)
    assert report["keys_no_longer_needed"] == ["t1"]
    assert report["columns"]["customers.customer.name"]["by_key"] == {"t2": 25}
    settings.LOANCRM_KEYS = {"t2": NEW}
    keys.refuse_wrong_keys()
    assert _names() == before
    assert AuditEntry.objects.filter(action="keys.rotate").count() == 1


@pytest.mark.usefixtures("_both_keys")
def test_f61_an_interrupted_rotation_stays_readable_and_goes_on_where_it_stopped(actor, now):
    before = _names()
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(actor=actor, now=now, batch_rows=10, on_batch=_stop_after(2))
    assert _names() == before
    ids = _key_ids(Customer, "name_sealed")
    assert (ids.count("t2"), ids.count("t1")) == (20, 5)
    progress = KeyRotation.objects.get(column="customers.customer.name")
    assert progress.last_row_id == list(Customer.objects.order_by("pk"))[19].pk

    looked_at = []
    changed = rotation.rotate(
        actor=actor,
        now=now,
        batch_rows=10,
        on_batch=lambda column, rows: looked_at.append((column, rows)),
    )
    assert changed["customers.customer.name"] == 5
    assert ("customers.customer.name", 5) in looked_at
    assert sum(rows for column, rows in looked_at if column == "customers.customer.name") == 5
    assert _names() == before
    assert set(_key_ids(Customer, "name_sealed")) == {"t2"}


@pytest.mark.usefixtures("_both_keys")
def test_f61_a_value_written_with_the_old_key_later_is_found_by_the_next_run(actor, now):
    rotation.rotate(actor=actor, now=now)
    late = Customer.objects.order_by("pk").first()
    vault = crypto.Vault({"t1": OLD}, bytes(32))
    late.name_sealed = vault.seal(Customer.NAME_COLUMN, late.public_id, "迟到")
    late.save(update_fields=["name_sealed"])
    assert rotation.retire_unused_keys(actor=actor, counts=rotation.verify(), now=now) == []
    assert rotation.rotate(actor=actor, now=now)["customers.customer.name"] == 1
    assert rotation.retire_unused_keys(actor=actor, counts=rotation.verify(), now=now) == ["t1"]


@pytest.mark.usefixtures("_both_keys")
def test_f62_without_the_old_key_nothing_starts_and_nothing_is_rotated(actor, now, settings):
    settings.LOANCRM_KEYS = {"t2": NEW}
    before = list(Customer.objects.order_by("pk").values_list("name_sealed", flat=True))
    with pytest.raises(keys.KeysRefused, match="t1"):
        rotation.rotate(actor=actor, now=now)
    after = list(Customer.objects.order_by("pk").values_list("name_sealed", flat=True))
    assert [bytes(x) for x in after] == [bytes(x) for x in before]
    assert list(KeyRecord.objects.values_list("key_id", flat=True)) == ["t1"]


@pytest.mark.usefixtures("_both_keys")
def test_f63_an_envelope_copied_to_another_row_is_left_counted_and_named(people, caplog, capsys):
    copied = bytes(people[0].name_sealed)
    Customer.objects.filter(pk=people[1].pk).update(name_sealed=copied)
    with pytest.raises(CommandError, match="1 sealed values"):
        call_command("rotate_keys", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["refused_values"] == 1
    assert report["keys_no_longer_needed"] == []
    assert bytes(Customer.objects.get(pk=people[1].pk).name_sealed) == copied
    named = [record for record in caplog.records if getattr(record, "row", None) == people[1].pk]
    assert named
    assert KeyRecord.objects.filter(key_id="t1").exists()


@pytest.mark.usefixtures("_both_keys")
def test_k5_checking_alone_changes_nothing(people, capsys):
    call_command("rotate_keys", "--verify", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["old_key_values"] == 75
    assert report["sealed_anew"] == 0
    assert set(_key_ids(Customer, "name_sealed")) == {"t1"}
    assert not KeyRotation.objects.exists()


def _stop_after(batches):
    seen = []

    def on_batch(column, _rows):
        if column == "customers.customer.name":
            seen.append(column)
            if len(seen) == batches:
                raise KeyboardInterrupt

    return on_batch
