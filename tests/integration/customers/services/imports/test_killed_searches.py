"""Searches for duplicates, repairs and exports, killed after any commit, end as one clean run."""

import random
from contextlib import suppress
from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth.models import User

from customers.domain.demo.population import generate
from customers.models import (
    DuplicateSearch,
    ImportBatch,
    Merge,
    MergeDecision,
    RejectedRow,
)
from customers.services.demo import data
from customers.services.identity import duplicate_searches
from customers.services.identity.duplicates import find_duplicates
from customers.services.imports import from_file, jobs
from customers.services.imports import repair as imports_repair
from customers.services.imports.from_file import ImportOrder
from customers.services.imports.repair import Repair, RepairRefused
from customers.services.imports.steps import apply, standalone
from customers.services.loans import berka
from customers.services.segments import exports, versions
from loancrm.kernel.access import user_actor
from loancrm.kernel.work import service
from tests.factories.links import make_linked
from tests.factories.people import make_people
from tests.integration.customers.import_rows import MAPPING, NOW, loader, person, write_csv
from tests.kills import assert_kills_leave_no_trace, empty, killed_after_commit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
LATER = NOW + timedelta(hours=1)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    monkeypatch.setattr(standalone, "_connections", lambda: 1)


def load_twice(actor, folder):
    """Forty people, eight of them twice."""
    rows = [
        person(number, born=f"{1960 + number}-03-1{number % 9}", email=f"u{number}@example.com")
        for number in range(40)
    ]
    again = [
        row | {"id": f"D{at}", "phone": f"139{at:08d}", "name": row["name"] + "平"}
        for at, row in enumerate(rows[:8])
    ]
    path = write_csv(folder / "rows.csv", rows + again)
    order = ImportOrder(path=path, mapping=MAPPING)
    from_file.import_customers(actor=actor, order=order, now=NOW, today=TODAY)


def test_a7_a_search_proposes_and_counts_the_same_after_a_kill_at_any_commit(actor, tmp_path):
    def prepare():
        load_twice(actor, tmp_path)
        duplicate_searches.start(actor=actor, now=LATER)

    def work():
        work_id = DuplicateSearch.objects.values_list("work_id", flat=True).get()
        duplicate_searches.run(work_id=work_id, now=LATER, today=TODAY)

    assert_kills_leave_no_trace(prepare, work, commits=2)
    search = DuplicateSearch.objects.get()
    assert search.work.state == "done"
    assert search.proposed_count == MergeDecision.objects.count() > 0


def test_a7_a_repaired_import_is_the_same_after_a_kill_at_any_commit(actor, monkeypatch, tmp_path):
    monkeypatch.setattr(apply, "APPLY_BATCH", 2)

    def prepare():
        rows = [person(1), *(person(serial, id="", phone="139") for serial in range(2, 6))]
        path = write_csv(tmp_path / "rows.csv", rows)
        order = ImportOrder(path=path, mapping=MAPPING)
        from_file.import_customers(actor=actor, order=order, now=NOW, today=TODAY)
        assert RejectedRow.objects.count() == 4

    def work():
        batch = ImportBatch.objects.get()
        corrections = {line: {"phone": f"1390000000{line}"} for line in range(3, 6)}
        repair = Repair(batch.pk, corrections=corrections)
        # The command; a second one is refused while the first one's rows are on their way.
        with suppress(RepairRefused):
            imports_repair.run_again(actor=actor, repair=repair, now=LATER, today=TODAY)
        jobs.clear_up(now=LATER)
        jobs.run_import(batch_id=batch.pk, now=LATER, today=TODAY)

    assert_kills_leave_no_trace(prepare, work, commits=3)
    assert ImportBatch.objects.get().state == "done"
    assert RejectedRow.objects.count() == 1


def load_sure(folder):
    """Sixty people, six of them twice, of whom nearly nobody could be somebody else."""
    rng = random.Random(2)
    rows = [
        person(
            number,
            born=f"{rng.randint(1950, 2004)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
            email=f"user{rng.randint(1000, 9999)}x{number}@example.com",
            city=rng.choice(("西安", "武汉", "杭州", "成都")),
        )
        for number in range(60)
    ]
    again = [
        row | {"id": f"D{number}", "phone": f"139{number:08d}", "name": row["name"] + "平"}
        for number, row in enumerate(rows[:6])
    ]
    loader(folder)(rows + again)


def test_a7_the_sure_are_merged_alike_after_a_kill_at_any_commit(actor, tmp_path):
    """The command that merges commits once a pair; the proposals come last."""

    def work():
        find_duplicates(
            actor=actor,
            limit=100,
            is_merging_sure=True,
            rng=np.random.default_rng(1),
            now=LATER,
            today=TODAY,
        )

    def prepare():
        empty()
        load_sure(tmp_path)

    def found():
        pairs = ("kept__external_id", "other__external_id")
        merged = set(Merge.objects.filter(undone_at=None).values_list(*pairs))
        return merged, set(MergeDecision.objects.values_list(*pairs, "state"))

    prepare()
    work()
    clean = found()
    merges = len(clean[0])
    assert merges >= 3
    for nth in (1, merges // 2, merges):
        prepare()
        with killed_after_commit(nth):
            work()
        assert len(found()[0]) == nth
        work()
        assert found() == clean


def test_a7_an_export_is_asked_for_decided_and_counted_whole(actor):
    """A download is a call: what a killed one has left is a trace more, and the file is anew."""

    def prepare():
        make_people(3)
        versions.create_segment(
            actor=actor,
            slug="all",
            name="all",
            rule={"combinator": "and", "rules": []},
            now=NOW,
        )

    def work():
        asker, other = (
            user_actor(User.objects.get_or_create(username=name, is_superuser=True)[0])
            for name in ("asker", "other")
        )
        segment = versions.Segment.objects.get()
        export = segment.exports.first() or exports.request_export(
            actor=asker, segment=segment, columns=["name"], reason="for the agents", now=NOW
        )
        with suppress(exports.ExportNotOpen):
            exports.approve_export(actor=other, export_id=export.pk, now=NOW)
        file = exports.download_export(actor=asker, export_id=export.pk, now=LATER, today=TODAY)
        assert b"".join(file.parts).count(b"\n") == 4

    ignored = {"customers.SegmentExport.download_count"}
    assert_kills_leave_no_trace(prepare, work, commits=4, ignored=ignored)


def test_a7_a_banks_folder_is_the_same_after_a_kill_at_any_commit(actor, monkeypatch, tmp_path):
    monkeypatch.setattr(berka, "_BATCH", 10)
    texts = {
        "disp": "disp_id,client_id,account_id,type\n1,1,1,OWNER\n3,3,2,OWNER\n",
        "loan": "loan_id,account_id,date,amount,duration,payments,status\n"
        "10,1,1996-01-31,300,3,100,A\n11,2,1998-06-30,400,4,100,D\n",
        "account": "account_id,district_id,frequency,date\n1,1,POPLATEK TYDNE,1995-01-01\n",
        "card": "card_id,disp_id,type,issued\n5,1,gold,1997-01-01\n",
        "trans": "trans_id,account_id,date,type,operation,amount,balance,k_symbol\n"
        "1,1,1996-02-29,VYDAJ,PREVOD NA UCET,100,900,UVER\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")

    assert_kills_leave_no_trace(
        lambda: make_linked(["1", "3"], source="berka"),
        lambda: berka.import_berka(actor=actor, folder=tmp_path, now=NOW),
        commits=6,
    )


def test_a7_a_population_is_whole_after_a_kill_at_any_commit(actor, monkeypatch):
    monkeypatch.setattr(data, "_BATCH_STORIES", 2)
    assert_kills_leave_no_trace(
        lambda: None,
        lambda: suppressed_population(actor),
        commits=4,
    )


def suppressed_population(actor):
    """Write it; a run that finds all of it there says so."""
    with suppress(data.DemoDataPresent):
        data.write_population(
            actor=actor, stories=generate(count=5, seed=7, today=TODAY), now=LATER
        )
