"""Why something ended is stored by a worker and read by people of either language."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from customers.models import DataSource, DuplicateSearch, ImportBatch
from customers.services.identity import duplicate_searches
from customers.services.imports import jobs
from customers.services.imports.jobs import Upload
from loancrm.kernel.access import system_actor
from loancrm.kernel.models import Work
from loancrm.kernel.work.claims import MAX_ATTEMPTS
from tests.integration.customers.import_rows import MAPPING, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
ACTOR = system_actor("test")
LANGUAGES = ("zh-hans", "en")


def _import(content: bytes) -> str:
    batch = jobs.submit(actor=ACTOR, upload=Upload("x.csv", [content], MAPPING), now=NOW)
    jobs.run_import(batch_id=batch.pk, now=NOW, today=NOW.date(), seconds=None)
    return _page_of(batch)


def _page_of(row: ImportBatch | DuplicateSearch) -> str:
    return reverse(f"admin:customers_{row._meta.model_name}_change", args=[row.pk])


def _no_table() -> str:
    return _import(b"a,b\n\x00\x01")


def _no_columns() -> str:
    return _import(b"a,b\n1,2\n")


def _barred() -> str:
    content = b"a,b\n1,2\n"
    batch = jobs.submit(actor=ACTOR, upload=Upload("x.csv", [content], MAPPING), now=NOW)
    DataSource.objects.filter(name=MAPPING.source).update(valid_until=date(2020, 1, 1))
    jobs.run_import(batch_id=batch.pk, now=NOW, today=NOW.date(), seconds=None)
    return _page_of(batch)


def _lost_search() -> str:
    search = duplicate_searches.start(actor=ACTOR, now=NOW)
    Work.objects.update(attempts=MAX_ATTEMPTS)
    duplicate_searches.run(work_id=search.work_id, now=NOW, today=NOW.date())
    return _page_of(search)


TOLD = [
    (_no_table, "it is no table of rows and columns", "它不是由行和列组成的表格"),
    (_no_columns, "The file lacks these columns of the mapping", "文件缺少映射中的列"),
    (_barred, "the contract has ended", "合同已到期"),
    (_lost_search, "got no further; nothing more is tried", "次仍无进展"),
]


@pytest.mark.parametrize("written_in", LANGUAGES)
@pytest.mark.parametrize(("happens", "english", "chinese"), TOLD)
def test_d_a_stored_problem_is_told_in_the_language_of_who_reads(
    admin_client: Client,
    happens: Callable[[], str],
    english: str,
    chinese: str,
    written_in: str,
) -> None:
    with translation.override(written_in):
        address = happens()
    for language, said, other in (("en", english, chinese), ("zh-hans", chinese, english)):
        page = admin_client.get(address, headers={"accept-language": language}).content.decode()
        assert said in page
        assert other not in page
