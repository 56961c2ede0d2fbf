"""Sealing anew, killed after any commit and done again, ends as one clean run."""

import pytest
from django.core.management import call_command

from customers.models import ContactPoint, Customer
from loancrm.kernel.models import KeyRecord, KeyRotation
from loancrm.kernel.security import crypto, keys, rotation
from tests.factories.people import make_people
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def test_a7_all_is_sealed_with_the_new_key_after_a_kill_at_any_commit(settings, monkeypatch):
    # Every column goes the same way; two of them show it in a fraction of the kills.
    two = [
        column
        for column in rotation.sealed_columns()
        if column.name in {Customer.NAME_COLUMN, ContactPoint.VALUE_COLUMN}
    ]
    monkeypatch.setattr(rotation, "sealed_columns", lambda: two)

    def prepare():
        settings.LOANCRM_KEYS = {"t1": OLD}
        keys.note_active_key()
        make_people(3)
        settings.LOANCRM_KEYS = {"t2": NEW, "t1": OLD}

    def work():
        call_command("rotate_keys", "--json", "--batch", "2")
        # The dump opens what is sealed, whatever its key.
        sealed = [
            *Customer.objects.values_list("name_sealed", flat=True),
            *ContactPoint.objects.values_list("value_sealed", flat=True),
        ]
        assert {crypto.key_id_of(value) for value in sealed} == {"t2"}
        assert list(KeyRecord.objects.values_list("key_id", flat=True)) == ["t2"]
        assert set(KeyRotation.objects.values_list("last_row_id", flat=True)) == {0}

    ignored = {"kernel.KeyRotation.updated_at", "kernel.KeyRecord", "kernel.KeyCheck"}
    assert_kills_leave_no_trace(prepare, work, commits=8, ignored=ignored)
