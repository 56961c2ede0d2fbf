"""Paper questionnaires: every consent with its source, batch, text version and time."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.mapping_json import MappingError
from customers.models import ConsentRecord, ConsentState, Customer, RejectedRow
from customers.services.imports import from_file, jobs, repair
from customers.services.imports.from_file import ImportOrder, ImportReport
from customers.services.imports.repair import Repair
from loancrm.kernel.access import system_actor
from tests.integration.customers.import_rows import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
HEADER = "问卷编号,姓名,手机,月收入,同意短信营销,同意文本版本,签署时间,备注"
ACTOR = system_actor("test")


def load(folder: Path, *lines: str, mode: str = "upsert") -> ImportReport:
    path = folder / "questionnaires.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="gb18030")
    return from_file.import_customers(
        actor=ACTOR,
        order=ImportOrder(
            path=path,
            mapping=from_file.load_mapping("questionnaire"),
            mode=from_file.ImportMode(mode),
        ),
        now=NOW,
        today=NOW.date(),
    )


def test_s65_a_consent_has_source_batch_text_version_and_time(tmp_path: Path) -> None:
    report = load(tmp_path, "Q1,李平,13800138001,1.2万,是,form-2026-1,2026-03-01 14:05,展位")
    assert (report.created, report.by_reason, report.unmapped_columns) == (1, {}, ())
    record = ConsentRecord.objects.get()
    assert (record.source, record.evidence) == ("questionnaire", f"import:{report.batch_id}:2")
    assert (record.policy_version, record.is_granted) == ("form-2026-1", True)
    assert record.at == datetime(2026, 3, 1, 6, 5, tzinfo=UTC)
    assert record.recorded_at == NOW
    assert Customer.objects.get().source == "questionnaire"


@pytest.mark.parametrize(
    ("text", "time"),
    [("", "2026-03-01 14:05"), ("form-2026-1", ""), ("form-2026-1", "gestern"),
     ("form-2026-1", "2026-03-05 08:00"), ("x" * 41, "2026-03-01")],
)  # fmt: skip
def test_s65_a_grant_without_text_version_or_time_is_not_taken(
    tmp_path: Path, text: str, time: str
) -> None:
    report = load(tmp_path, f"Q1,李平,13800138001,,是,{text},{time},")
    assert (report.created, report.by_reason) == (1, {"consent_unproven": 1})
    assert not ConsentRecord.objects.exists()
    assert not ConsentState.objects.exists()


def test_s65_a_refusal_needs_no_proof_and_takes_back_a_grant_now(tmp_path: Path) -> None:
    load(tmp_path, "Q1,李平,13800138001,,是,form-2026-1,2026-03-02,")
    report = load(tmp_path, "Q1,李平,13800138001,,否,,2026-03-01,")
    assert report.by_reason == {}
    assert ConsentState.objects.get().is_granted is False
    assert [(row.is_granted, row.at) for row in ConsentRecord.objects.order_by("pk")] == [
        (True, datetime(2026, 3, 1, 16, tzinfo=UTC)),
        (False, NOW),
    ]


def test_s65_a_repaired_row_keeps_the_proof_of_its_consent(tmp_path: Path) -> None:
    report = load(tmp_path, "Q1,李平,13800138001,,是,form-2026-1,2026-03-01 14:05,", mode="update")
    assert RejectedRow.objects.get().code == "not_found"
    repair.ImportBatch.objects.update(mode="upsert")
    repair.run_again(
        actor=ACTOR, repair=Repair(int(report.batch_id or 0)), now=NOW, today=NOW.date()
    )
    record = ConsentRecord.objects.get()
    assert (record.policy_version, record.at) == (
        "form-2026-1",
        datetime(2026, 3, 1, 6, 5, tzinfo=UTC),
    )
    jobs.undo(actor=ACTOR, batch_id=record_batch(record), reason="test", now=NOW)
    assert not Customer.objects.exists()


def record_batch(record: ConsentRecord) -> int:
    return int(record.evidence.split(":")[1])


@pytest.mark.parametrize(
    ("consent", "path"),
    [
        ({"time_column": "t"}, "consent.text"),
        ({"text": "v1"}, "consent.time_column"),
        ({"text": "v1", "time_column": "t", "time_zone": "Mars"}, "consent.time_zone"),
        ({"text": "v1", "time_column": "t", "words": "x"}, "consent.words"),
    ],
)
def test_s65_a_mapping_says_where_both_stand(consent: dict[str, str], path: str) -> None:
    content = {"name": "m", "columns": {"a": "contact.phone"}, "consent": consent}
    with pytest.raises(MappingError) as refused:
        parse_mapping(content)
    assert refused.value.path == path
