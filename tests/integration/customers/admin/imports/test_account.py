"""The page of an import claims nothing about rows that nothing has become of."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from customers.admin.imports.account import about_the_check, account_of, no_finding, none_rejected
from customers.models import ImportBatch, RejectedRow
from customers.selectors.imports.quality import balance
from loancrm.kernel import clock
from loancrm.kernel.models import Work, WorkState

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def a_batch(state: str, work_state: str = WorkState.DONE, **facts: object) -> ImportBatch:
    now = clock.now()
    work = Work.objects.create(kind="customers.import", state=work_state, created_at=now)
    return ImportBatch.objects.create(
        work=work, source="crm", file_name="a.csv", mode="upsert", state=state, created_at=now,
        **facts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "rest"),
    [
        ("paused", "26,004 not written yet"),
        ("applying", "26,004 not written yet"),
        ("cancelled", "26,004 not written"),
        ("failed", "26,004 not written"),
    ],
)
def test_what_was_not_written_is_not_in_quarantine(state: str, rest: str) -> None:
    batch = a_batch(state, row_count=30_000, created_count=3_996)
    whole = "30,000 rows = 3,996 taken as they came + 0 repaired + 0 in quarantine + "
    assert account_of(batch) == whole + rest
    assert none_rejected(batch) == "No row was rejected so far."


def test_refused_rows_are_counted_while_the_file_is_still_read() -> None:
    batch = a_batch("staging", row_count=10)
    RejectedRow.objects.create(batch=batch, line=2, code="no_identity", created_at=clock.now())
    found = balance(batch)
    assert (found.rows_quarantined, found.rows_open) == (1, 9)


def test_a_check_has_taken_nothing_in() -> None:
    batch = a_batch("done", is_dry_run=True, row_count=5, created_count=4, rejected_count=1)
    assert account_of(batch) == "5 rows = 4 that would be taken + 1 that would be refused"
    assert about_the_check(batch) == "Only a check: no customer was changed."
    assert no_finding(batch) == "Nothing to complain about."


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("queued", "Not read yet."),
        ("failed", "No row was read."),
        ("done", "The file has no rows."),
    ],
)
def test_a_file_that_was_not_read_is_judged_in_no_way(state: str, said: str) -> None:
    batch = a_batch(state, is_dry_run=state == "queued")
    assert account_of(batch) == said
    assert {no_finding(batch), none_rejected(batch)} <= {
        said, "Nothing to complain about.", "No row was rejected.",
    }  # fmt: skip
    if state != "done":
        assert no_finding(batch) == none_rejected(batch) == said
    assert about_the_check(batch) in {"", "Only a check: no customer will be changed."}


@pytest.mark.parametrize(
    ("language", "unread", "would"),
    [("en", "Not read yet.", "Would be created"), ("zh-hans", "尚未读取。", "将新建")],
)
def test_the_page_of_a_check_that_waits_says_so(
    admin_client: Client, language: str, unread: str, would: str
) -> None:
    batch = a_batch("queued", WorkState.WAITING, is_dry_run=True)
    answer = admin_client.get(
        reverse("admin:customers_importbatch_change", args=[batch.pk]),
        headers={"accept-language": language},
    )
    page = answer.content.decode()
    assert page.count(unread) == 3
    assert would in page
    assert answer["Refresh"] == "3"


def test_a_page_on_which_nothing_moves_is_not_asked_for_again(admin_client: Client) -> None:
    batch = a_batch("paused", WorkState.PAUSED, row_count=3)
    answer = admin_client.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))
    assert "Refresh" not in answer


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Created", "Updated", "Created at")), ("zh-hans", ("新建", "更新", "创建时间"))],
)
def test_the_list_tells_counts_from_times(
    admin_client: Client, language: str, words: tuple[str, ...]
) -> None:
    a_batch("done")
    address = reverse("admin:customers_importbatch_changelist")
    page = admin_client.get(address, headers={"accept-language": language}).content.decode()
    head = unescape(
        re.sub(r"<[^>]+>|\s+", " ", page.partition("<thead")[2].partition("</thead")[0])
    )
    found = [text.strip() for text in re.split(r"\s{2,}", head)]
    for word in words:
        assert found.count(word) == 1, found
    assert "更新时间" not in found
