"""Imports in the background: states, progress, pause, kill and resume, cancel, gate."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.mapping_json import MappingError
from customers.domain.reading.tables import TabularError
from customers.labels.problems import file_problem
from customers.models import (
    AttributeDefinition,
    Customer,
    ImportBatch,
    ImportFilePart,
    ImportRow,
    RejectedRow,
)
from customers.services.imports import from_file, jobs
from customers.services.imports.jobs import ReleaseRefused, Upload
from customers.services.imports.runs import begin_run
from customers.services.imports.steps import apply as imports_apply
from customers.services.imports.steps import check, stage, standalone
from loancrm.kernel.access import system_actor
from loancrm.kernel.manifest import WorkAction
from loancrm.kernel.models import RequestedAction, Work
from loancrm.kernel.work import service
from loancrm.kernel.work.claims import ClaimLost, WorkClaim, WorkInterrupted
from loancrm.kernel.work.service import WorkStateRefused
from tests.integration.customers.import_rows import MAPPING, NOW, loader, person, write_csv
from tests.kills import let_claims_run_out

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
ACTOR = system_actor("test")
TODAY = NOW.date()
ROWS = [person(serial) for serial in range(1, 41)]
ROWS[7] = person(8, phone="123")
ROWS[20] = {**person(21), "id": "", "phone": "", "name": "nobody"}
ROWS[30] = person(1)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are sent but nobody takes them; pages are small."""
    monkeypatch.setattr(service, "enqueue", lambda *_args, **_kwargs: None)
    # One page after the other, so that a test can tell how far an import has come.
    monkeypatch.setattr(standalone, "_connections", lambda: 1)
    monkeypatch.setattr(stage, "STAGE_BATCH", 5)
    monkeypatch.setattr(imports_apply, "APPLY_BATCH", 5)
    monkeypatch.setattr(standalone, "WINDOW_LINES", 5)


def submitted(folder: Path, rows: list[dict[str, str]] = ROWS, **order: Any) -> ImportBatch:
    content = write_csv(folder / "upload.csv", rows).read_bytes()
    blocks = [content[start : start + 700] for start in range(0, len(content), 700)]
    upload = Upload("people.csv", blocks, **({"mapping": MAPPING} | order))
    return jobs.submit(actor=ACTOR, upload=upload, now=NOW)


def run(batch: ImportBatch, minutes: int = 0, seconds: float | None = None) -> ImportBatch:
    now = NOW + timedelta(minutes=minutes)
    jobs.run_import(batch_id=batch.pk, now=now, today=TODAY, seconds=seconds)
    batch.refresh_from_db()
    return batch


def figures(batch: ImportBatch) -> dict[str, Any]:
    names = ("row", "created", "updated", "unchanged", "rejected", "merged")
    counts = {name: getattr(batch, f"{name}_count") for name in names}
    return {**counts, "by_reason": batch.by_reason, "quality": batch.quality}


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, Any]:
    """What the same rows give in one go, afterwards undone."""
    report = loader(tmp_path)(ROWS)
    batch = ImportBatch.objects.get(pk=report.batch_id)
    found = figures(batch)
    Customer.objects.all().delete()
    batch.delete()
    assert (found["row"], found["created"], found["rejected"], found["merged"]) == (40, 38, 1, 1)
    return found


def die_after(calls: int, function: Any) -> Any:
    done: list[int] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        done.append(1)
        if len(done) > calls:
            raise SystemExit
        return function(*args, **kwargs)

    return call


@pytest.mark.parametrize(
    ("module", "name", "calls"),
    [
        (check._PageChecker, "check", 4),
        (stage, "load_packed", 4),
        (imports_apply, "resolve_people", 0),
        (imports_apply, "finish_rows", 0),
        (imports_apply, "audit_page", 3),
    ],
)
def test_a3_a_killed_import_goes_on_and_loses_or_doubles_no_row(
    waiting: None,
    expected: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    calls: int,
) -> None:
    batch = submitted(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(module, name, die_after(calls, getattr(module, name)))
        patch.setattr(WorkClaim, "release", lambda *_args, **_kwargs: None)
        with pytest.raises(SystemExit):
            run(batch)
    assert run(batch, minutes=1).state not in {"done", "failed"}
    assert service.wake() == 0
    let_claims_run_out()
    assert service.wake() == 1
    assert run(batch, minutes=3).state == "done"
    assert figures(batch) == expected
    assert Customer.objects.count() == expected["created"]
    assert not ImportFilePart.objects.exists()
    assert batch.work.done_count == 39


def test_a3_an_import_pauses_shows_progress_and_resumes(
    waiting: None, expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = submitted(tmp_path)
    assert (batch.state, batch.file_parts.count() > 1) == ("queued", True)
    with monkeypatch.context() as patch:
        ask_in_page(patch, batch, page=4, action=RequestedAction.PAUSE)
        assert run(batch).state == "paused"
    people = batch.work.done_count - batch.merged_count
    assert (people, batch.work.total_count) == (Customer.objects.count(), 39)
    assert 10 <= batch.work.done_count < 25
    assert service.wake() == 0
    jobs.resume(actor=ACTOR, batch_id=batch.pk, now=NOW)
    assert run(batch).state == "done"
    assert figures(batch) == expected


def ask_in_page(
    patch: pytest.MonkeyPatch, batch: ImportBatch, page: int, action: RequestedAction
) -> None:
    done: list[int] = []

    def counting(apply: Any) -> Any:
        def count(*args: Any) -> Any:
            done.append(1)
            if len(done) == page:
                Work.objects.filter(pk=batch.work_id).update(requested_action=action)
            return apply(*args)

        return count

    for module, name in ((standalone, "_apply_window"), (imports_apply, "_apply_page")):
        patch.setattr(module, name, counting(getattr(module, name)))


@pytest.mark.parametrize("end", ["finish", "fail", "pause"])
def test_an_import_that_is_cancelled_just_before_it_ends_is_cancelled(
    waiting: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    limits = {"phone_invalid": 0.0, "identity_missing": 0.0} if end == "fail" else {}
    batch, say = submitted(tmp_path, limits=limits), getattr(WorkClaim, end)
    if end == "pause":
        ask_in_page(monkeypatch, batch, page=2, action=RequestedAction.PAUSE)

    def late(*given: Any, **named: Any) -> None:
        Work.objects.filter(pk=batch.work_id).update(requested_action=RequestedAction.CANCEL)
        say(*given, **named)

    monkeypatch.setattr(WorkClaim, end, late)

    assert run(batch).state == "cancelled"
    work = Work.objects.get(pk=batch.work_id)
    assert (work.state, work.requested_action) == ("cancelled", "")
    # Pages are written as they come, and stay until the import is undone.
    assert (Customer.objects.count() > 0) == (end != "fail")
    assert not batch.file_parts.exists()
    assert not ImportRow.objects.filter(state="staged").exists()


def test_a3_a_cancelled_import_keeps_what_was_applied_and_forgets_the_rest(
    waiting: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = submitted(tmp_path)
    ask_in_page(monkeypatch, batch, page=2, action=RequestedAction.CANCEL)
    assert run(batch).state == "cancelled"
    assert 5 <= Customer.objects.count() <= 10
    assert not ImportRow.objects.filter(state="staged").exists()
    assert not ImportFilePart.objects.exists()
    with pytest.raises(WorkStateRefused):
        jobs.pause(actor=ACTOR, batch_id=batch.pk, now=NOW)
    jobs.undo(actor=ACTOR, batch_id=batch.pk, reason="half", now=NOW)
    assert run(batch).state == "undone"
    assert Customer.objects.count() == 0


def test_a3_a_run_whose_time_is_up_leaves_the_rest_to_the_next(
    waiting: None, expected: dict[str, Any], tmp_path: Path
) -> None:
    batch = submitted(tmp_path)
    for _ in range(40):
        if run(batch, seconds=0.0).state == "done":
            break
        run(batch, seconds=0.02)
    else:
        run(batch)
    assert figures(run(batch)) == expected


def test_a3_a_worker_that_was_only_slow_writes_nothing_more(
    waiting: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = submitted(tmp_path)
    slow = begin_run(batch.pk, now=NOW)
    assert slow
    let_claims_run_out()
    other = begin_run(batch.pk, now=NOW + timedelta(minutes=10))
    assert other
    for late in (
        lambda: slow.save_progress({"created_count": 7}),
        lambda: slow.save_checkpoint({"created_count": 7}, done_count=7),
        lambda: slow.finish({"created_count": 7}),
        lambda: slow.fail("late"),
        slow.pause,
        slow.cancel,
        slow.release,
    ):
        with pytest.raises(ClaimLost):
            late()
    batch.refresh_from_db()
    assert (batch.state, batch.created_count, batch.work.done_count) == ("queued", 0, 0)
    assert batch.work.holder == other.claim.holder


def test_a_check_in_the_background_keeps_its_report_and_no_customer(
    waiting: None, expected: dict[str, Any], tmp_path: Path
) -> None:
    batch = run(submitted(tmp_path, is_dry_run=True))
    assert batch.state == "done"
    assert figures(batch) == expected
    assert not Customer.objects.exists()
    assert not ImportRow.objects.exists()
    assert RejectedRow.objects.count() == 1


def test_a_check_that_is_cancelled_leaves_no_attribute_that_it_defined(
    waiting: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = AttributeDefinition.objects.create(name="branch", value_type="text")
    batch = submitted(tmp_path, is_dry_run=True)
    with monkeypatch.context() as patch:
        patch.setattr(WorkClaim, "finish", _cancelled_first(batch, WorkClaim.finish))
        assert run(batch).state == "cancelled"
    assert list(AttributeDefinition.objects.all()) == [kept]


def _cancelled_first(batch: ImportBatch, finish: Any) -> Any:
    def late(*given: Any, **named: Any) -> None:
        assert AttributeDefinition.objects.filter(name="income").exists() is False
        Work.objects.filter(pk=batch.work_id).update(requested_action=RequestedAction.CANCEL)
        finish(*given, **named)

    return late


def test_a_file_that_is_no_table_fails_with_its_reason_and_can_be_cancelled(
    waiting: None, tmp_path: Path
) -> None:
    upload = Upload("x.csv", [b"a,b\n\x00\x01"], MAPPING)
    batch = run(jobs.submit(actor=ACTOR, upload=upload, now=NOW))
    assert batch.state == "failed"
    assert "not_a_table" not in batch.work.last_error
    assert file_problem(TabularError("not_a_table")) in batch.work.last_error
    jobs.cancel(actor=ACTOR, batch_id=batch.pk, now=NOW, today=TODAY)
    batch.refresh_from_db()
    assert batch.state == "cancelled"
    assert not ImportFilePart.objects.exists()


def planted(bad: int, rows: int = 100) -> list[dict[str, str]]:
    return [person(s, phone="12") if s <= bad else person(s) for s in range(1, rows + 1)]


def test_a8_the_gate_measures_exactly_and_stops_the_batch_above_the_limit(tmp_path: Path) -> None:
    load = loader(tmp_path)
    with pytest.raises(from_file.GateClosed):
        load(planted(7), limits={"phone_invalid": 0.069})
    batch = ImportBatch.objects.get()
    assert batch.state == "stopped"
    assert batch.exceeded == [{"code": "phone_invalid", "count": 7, "rows": 100, "limit": 0.069}]
    assert batch.quality["validity"]["phone"] == {
        "numerator": 93, "denominator": 100, "rate": 0.93
    }  # fmt: skip
    assert not Customer.objects.exists()
    assert load(planted(7), limits={"phone_invalid": 0.07}).created == 100


def test_a8_a_stopped_batch_can_be_released_with_a_reason(waiting: None, tmp_path: Path) -> None:
    batch = run(submitted(tmp_path, planted(7), limits={"phone_invalid": 0.05}))
    assert (batch.state, Customer.objects.count()) == ("stopped", 0)
    with pytest.raises(ReleaseRefused):
        jobs.release(actor=ACTOR, batch_id=batch.pk, reason=" ", now=NOW)
    jobs.release(actor=ACTOR, batch_id=batch.pk, reason="known supplier", now=NOW)
    assert run(batch).state == "done"
    assert Customer.objects.count() == 100
    assert batch.exceeded[0]["count"] == 7


def test_a_stopped_batch_is_tried_again_by_no_other_way_than_its_release(
    waiting: None, tmp_path: Path
) -> None:
    batch = run(submitted(tmp_path, planted(7), limits={"phone_invalid": 0.05}))
    assert batch.work is not None
    assert service.available_actions(batch.work) == (WorkAction.CANCEL,)

    with pytest.raises(WorkStateRefused):
        service.request_action(actor=ACTOR, work_id=batch.work.pk, action=WorkAction.RETRY, now=NOW)

    assert Work.objects.get(pk=batch.work.pk).state == "failed"


def test_attempts_are_counted_anew_by_every_page_and_by_nothing_else(
    waiting: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = submitted(tmp_path)
    seen: list[int] = []

    def attempts() -> int:
        return Work.objects.values_list("attempts", flat=True).get(pk=batch.work_id)

    def noted(load: Any) -> Any:
        def note(*given: Any, **named: Any) -> Any:
            seen.append(attempts())
            return load(*given, **named)

        return note

    monkeypatch.setattr(stage, "load_packed", noted(stage.load_packed))
    assert run(batch).state == "done"
    # Beginning is no progress; the first page is.
    assert seen[:2] == [1, 0]


def test_a8_limits_of_a_mapping_are_checked_and_hold() -> None:
    content = {"name": "x", "columns": {"p": "contact.phone"}, "limits": {"phone_invalid": 0.1}}
    assert parse_mapping(content).limits == {"phone_invalid": 0.1}
    for limits in ({"phone_invald": 0.1}, {"phone_invalid": 7}, {"phone_invalid": True}):
        with pytest.raises(MappingError):
            parse_mapping({**content, "limits": limits})


@pytest.mark.parametrize(
    "error",
    [ReleaseRefused("too late"), WorkInterrupted(RequestedAction.PAUSE), RuntimeError("too late")],
    ids=lambda error: type(error).__name__,
)
def test_whatever_ends_a_run_that_was_replaced_is_not_written_down(
    waiting: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    batch = submitted(tmp_path)

    def be_replaced(*_: object) -> None:
        let_claims_run_out()
        assert begin_run(batch.pk, now=NOW)
        raise error

    monkeypatch.setattr(jobs, "_perform", be_replaced)
    with suppress(RuntimeError):
        run(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.work.state, batch.work.last_error) == ("queued", "running", "")
