"""Ledgers of dispatches are held against anchors outside the database (F64)."""

import json

import pytest
from django.core.management import CommandError, call_command

from campaigns.channels import registry
from campaigns.models import LedgerEntry
from campaigns.services.sending import ledger
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.LOANCRM_VAR_DIR = tmp_path
    yield
    registry.close_all()


def _run(capsys):
    code = 0
    try:
        call_command("verify_ledger", "--json")
    except CommandError:
        code = 1
    return json.loads(capsys.readouterr().out.splitlines()[-1]), code


def _grow(entry, now):
    """Add another entry to the chain of a chunk."""
    return ledger.append_entry(chunk=entry.chunk, now=now)


def test_f64_an_untouched_ledger_fits_and_may_grow(actor, now, capsys):
    make_sent(actor, now)
    assert _run(capsys)[1] == 0
    _grow(LedgerEntry.objects.get(), now)
    facts, code = _run(capsys)
    assert (facts["is_intact"], facts["entries"], code) == (True, 2, 0)
    assert _run(capsys)[1] == 0


def test_f64_a_changed_entry_is_found(actor, now, capsys):
    make_sent(actor, now)
    entry = LedgerEntry.objects.get()
    LedgerEntry.objects.update(counts={"sent": 99})
    facts, code = _run(capsys)
    assert (facts["broken"], code) == ({str(entry.dispatch_id): entry.pk}, 1)


@pytest.mark.parametrize("which", ["last", "all"])
def test_f64_entries_taken_off_the_end_are_found(actor, now, capsys, which):
    make_sent(actor, now)
    first = LedgerEntry.objects.get()
    last = _grow(first, now)
    _run(capsys)
    gone = LedgerEntry.objects.filter(pk=last.pk) if which == "last" else LedgerEntry.objects.all()
    gone.delete()
    facts, code = _run(capsys)
    assert (facts["cut"], code) == ([first.dispatch_id], 1)


def test_f64_a_ledger_written_anew_with_fitting_hashes_is_found(actor, now, capsys):
    make_sent(actor, now)
    _run(capsys)
    entry = LedgerEntry.objects.get()
    entry.counts = {"sent": 1}
    entry.entry_hash = ledger.entry_hash(entry.previous_hash, entry)
    entry.save()
    assert ledger.first_broken_entry(entry.dispatch_id) is None
    assert _run(capsys)[0]["cut"] == [entry.dispatch_id]
