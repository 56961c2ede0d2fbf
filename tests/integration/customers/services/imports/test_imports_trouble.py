"""Imports in trouble: a full disk, a lost process, no progress, no broker, names of files."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import OperationalError
from kombu.exceptions import OperationalError as BrokerAway

from customers import jobs
from customers.domain.imports.states import ImportState
from customers.models import Customer, ImportBatch
from customers.services.imports import from_file, pipeline
from customers.services.imports import jobs as imports_jobs
from customers.services.imports.jobs import Upload
from customers.services.imports.runs import ImportRun, begin_run
from loancrm.kernel.access import system_actor
from loancrm.kernel.database.errors import Trouble, words_of
from loancrm.kernel.models import Work
from loancrm.kernel.security import keys
from loancrm.kernel.work import service
from loancrm.kernel.work.claims import MAX_ATTEMPTS
from tests.integration.customers.import_rows import MAPPING, NOW, loader, person, write_csv
from tests.kills import let_claims_run_out

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
ACTOR = system_actor("test")
ROWS = [person(serial) for serial in range(1, 13)]
FULL = OperationalError("database or disk is full")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Jobs are noted and nobody takes them."""
    ids: list[int] = []
    monkeypatch.setattr(service, "enqueue", lambda _job, *, work_id: ids.append(work_id))
    return ids


def submitted(folder: Path, name: str = "people.csv") -> ImportBatch:
    content = write_csv(folder / "upload.csv", ROWS).read_bytes()
    upload = Upload(name, [content], MAPPING)
    return imports_jobs.submit(actor=ACTOR, upload=upload, now=NOW)


def run(batch: ImportBatch, minutes: int = 0) -> ImportBatch:
    now = NOW + timedelta(minutes=minutes)
    imports_jobs.run_import(batch_id=batch.pk, now=now, today=NOW.date(), seconds=None)
    batch.refresh_from_db()
    return batch


def _fail(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_h5_a_full_disk_lets_an_import_wait_with_its_reason_and_go_on_when_there_is_room(
    sent: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = submitted(tmp_path)
    sent.clear()
    for minute in range(MAX_ATTEMPTS + 3):
        with monkeypatch.context() as broken:
            broken.setattr(pipeline, "apply_all", _fail(FULL))
            broken.setattr(pipeline, "apply_standalone", _fail(FULL))
            run(batch, minute)
        assert (batch.state, batch.work.holder) == ("applying", "")
        assert batch.work.last_error == words_of(Trouble.NO_ROOM)
    assert service.wake() == 1
    assert sent == [batch.work_id]
    run(batch, 20)
    assert (batch.state, batch.created_count, batch.work.last_error) == ("done", len(ROWS), "")


def test_a1_an_import_waits_for_a_worker_that_has_the_keys(
    sent: list[int], tmp_path: Path, settings: Any
) -> None:
    keys.note_active_key()
    batch = submitted(tmp_path)
    right = settings.LOANCRM_KEYS
    settings.LOANCRM_KEYS = {"another": b"3" * 32}
    for minute in range(MAX_ATTEMPTS + 3):
        run(batch, minute)
        assert (batch.state, batch.work.holder) == ("queued", "")
        assert "LOANCRM_KEYS" in batch.work.last_error
    settings.LOANCRM_KEYS = right
    run(batch, 20)
    assert (batch.state, batch.created_count, batch.work.last_error) == ("done", len(ROWS), "")


def test_h5_a_disk_too_full_to_say_so_leaves_a_claim_that_runs_out(
    sent: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = submitted(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(imports_jobs, "_perform", _fail(FULL))
        broken.setattr(ImportRun, "release", _fail(FULL))
        run(batch)
    assert batch.work.holder != ""
    assert run(batch, 1).created_count == 0
    let_claims_run_out()
    assert run(batch, 3).state == "done"


def test_h5_a_command_that_meets_a_full_disk_ends_failed_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_file, "run_steps", _fail(FULL))
    with pytest.raises(OperationalError):
        loader(tmp_path)(ROWS)
    (batch,) = ImportBatch.objects.all()
    assert (batch.state, batch.work.holder) == ("failed", "")
    assert batch.work.last_error == words_of(Trouble.NO_ROOM)


def test_h5_an_import_of_a_command_that_was_killed_ends_failed(
    tmp_path: Path, sent: list[int]
) -> None:
    batch = submitted(tmp_path)
    ImportBatch.objects.update(state=ImportState.APPLYING)
    Work.objects.update(is_background=False)
    assert begin_run(batch.pk, now=NOW)
    imports_jobs.clear_up(now=NOW)
    batch.refresh_from_db()
    assert batch.state == "applying"
    let_claims_run_out()
    imports_jobs.clear_up(now=NOW)
    batch.refresh_from_db()
    assert (batch.state, batch.work.holder) == ("failed", "")
    assert batch.work.last_error


def test_e2_an_import_that_never_gets_further_is_not_begun_for_ever(
    sent: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = submitted(tmp_path)
    # A worker that is killed leaves its claim behind and says nothing.
    monkeypatch.setattr(imports_jobs, "_perform", _fail(SystemExit()))
    for minute in range(MAX_ATTEMPTS):
        with pytest.raises(SystemExit):
            run(batch, 5 * minute)
        # Its lease ends by the database's clock.
        let_claims_run_out()
        batch.refresh_from_db()
        assert batch.state == "queued"
    assert run(batch, 60).state == "failed"
    assert str(MAX_ATTEMPTS) in batch.work.last_error


def test_e6_an_upload_is_stored_once_when_the_broker_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = current_app.tasks[jobs.RUN_IMPORT.name]
    monkeypatch.setattr(task, "apply_async", _fail(BrokerAway("refused")))
    batch = submitted(tmp_path)
    assert (ImportBatch.objects.count(), batch.state) == (1, "queued")
    monkeypatch.undo()
    service.wake()
    assert Customer.objects.count() == len(ROWS)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("王小明_13800138000.csv", r"\*\*\*_\*\*\*-[0-9a-f]{6}\.csv"),
        ("john.smith@example.com.xlsx", r"\*\*\*\.\*\*\*_\*\*\*\.\*\*\*-[0-9a-f]{6}\.xlsx"),
        ("leads 110101199003070011.csv.gz", r"leads \*\*\*-[0-9a-f]{6}\.csv\.gz"),
        ("leads_2026-05-03.csv", r"leads_2026-05-03\.csv"),
        ("customers.parquet", r"customers\.parquet"),
    ],
)
def test_e8_names_of_files_say_nothing_about_people(
    sent: list[int], tmp_path: Path, name: str, kept: str
) -> None:
    assert re.fullmatch(kept, submitted(tmp_path, name).file_name)
