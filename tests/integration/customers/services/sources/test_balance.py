"""What an import tells about its rows is held against the file while it runs."""

from datetime import timedelta

import pytest

from campaigns.domain.partners.touches import TouchChannel
from campaigns.services.partners import touches
from campaigns.services.partners.past_campaigns import PastCampaign
from customers.domain.imports.states import ImportState
from customers.domain.loans.rows import LoanKind
from customers.models import Customer, ImportBatch
from customers.services.events import from_file
from customers.services.events.from_file import RowsRefused
from customers.services.imports import from_file as imports
from customers.services.imports.counts import ImportCounts
from customers.services.imports.from_file import FileRefused, ImportOrder
from customers.services.loans import from_file as loans
from customers.services.sources.balance import RowsUnbalanced, require_balance
from tests.integration.customers.import_rows import MAPPING, NOW, person, write_csv

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

LINES_OFF = "customers.domain.reading.tabular.read_records"


def _load(actor, path):
    order = ImportOrder(path=path, mapping=MAPPING, source="core")
    return imports.import_customers(actor=actor, order=order, now=NOW, today=NOW.date())


def _events(actor, path):
    from_file.import_events(actor=actor, path=path, now=NOW)


def _loans(actor, path):
    loans.import_loans(actor=actor, path=path, kind=LoanKind.LOANS, now=NOW)


def _touches(actor, path):
    past = PastCampaign("old", TouchChannel.PHONE)
    touches.import_touches(actor=actor, path=path, past=past, now=NOW)


@pytest.fixture
def swallowing(monkeypatch):
    """Let the reader lose every third record, as a wrong reading of quotation marks would."""
    from customers.domain.reading import tabular  # noqa: PLC0415

    whole = tabular.read_records

    def read(stream, mark, *, is_damaged):
        for number, record in enumerate(whole(stream, mark, is_damaged=is_damaged)):
            if number % 3 != 2:
                yield record

    monkeypatch.setattr(LINES_OFF, read)


@pytest.mark.usefixtures("swallowing")
def test_e1_customers_of_a_file_whose_lines_do_not_add_up_are_refused_all(actor, tmp_path):
    path = write_csv(tmp_path / "a.csv", [person(number) for number in range(6)])
    with pytest.raises(FileRefused) as caught:
        _load(actor, path)
    assert caught.value.facts["reason"] == "lines_unaccounted"
    assert (caught.value.facts["lines"], caught.value.facts["read"]) == (7, 5)
    assert not Customer.objects.exists()
    assert ImportBatch.objects.get().state == ImportState.FAILED


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("bring_in", [_events, _loans, _touches])
def test_e1_files_of_other_kinds_whose_lines_do_not_add_up_are_refused(actor, tmp_path, bring_in):
    path = tmp_path / "rows.csv"
    path.write_text("external_id,event,occurred_at\n" + "X1,login,2026-01-02\n" * 6)
    with pytest.raises(RowsRefused) as caught:
        bring_in(actor, path)
    assert caught.value.facts["problem"] == "lines_unaccounted"


def test_e1_rows_that_became_nothing_end_an_import_as_failed(actor, tmp_path, monkeypatch):
    def forgetful(self, line, findings):
        self.rows -= 1

    monkeypatch.setattr(ImportCounts, "note_row", forgetful)
    path = write_csv(tmp_path / "a.csv", [person(1), person(2, phone="nonsense")])
    with pytest.raises(RowsUnbalanced) as caught:
        _load(actor, path)
    assert caught.value.facts["rows"] == 2
    batch = ImportBatch.objects.get()
    assert (batch.state, bool(batch.work.last_error)) == (ImportState.FAILED, True)
    assert not Customer.objects.exists()


def test_e1_outcomes_that_do_not_add_up_are_told_with_their_numbers():
    require_balance(3, created=2, rejected=1)
    with pytest.raises(RowsUnbalanced) as caught:
        require_balance(3, created=1, rejected=1)
    assert caught.value.facts == {"rows": 3, "told": 2, "created": 1, "rejected": 1}


def test_e1_a_row_of_several_lines_goes_in_and_is_named(actor, tmp_path):
    path = write_csv(tmp_path / "a.csv", [person(1), person(2, city="one\ntwo"), person(3)])
    report = _load(actor, path)
    assert (report.rows, report.created) == (3, 3)
    assert report.by_reason["lines_joined"] == 1


def test_e1_events_tell_which_rows_stand_on_several_lines(actor, tmp_path):
    path = tmp_path / "rows.csv"
    day = (NOW - timedelta(days=1)).isoformat()
    path.write_text(
        f'external_id,event,occurred_at,note\nX1,login,{day},"one\ntwo"\nX2,login,{day},x\n'
    )
    result = from_file.import_events(actor=actor, path=path, now=NOW)
    assert (result.rows, result.joined_lines) == (2, (2,))
