"""Who works on an import, a search or a build is told by the database's clock, not by a host's."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from customers.models import DuplicateSearch, ImportBatch
from customers.services.identity import duplicate_searches
from customers.services.imports import jobs
from customers.services.imports.jobs import Upload
from customers.services.imports.runs import CLAIM, Run
from customers.services.segments import refresh, rounds
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.database import leases, shared_clock
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import Lease
from tests.integration.customers.import_rows import MAPPING, person, write_csv

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sql,
    pytest.mark.parametrize("hours", [-1, 1]),
]
REAL = time.time
ACTOR = system_actor("test")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (jobs, duplicate_searches):
        monkeypatch.setattr(module, "enqueue", lambda *_, **__: None)


def on_a_host(monkeypatch: pytest.MonkeyPatch, hours: int) -> AbstractContextManager[None]:
    """Let the host's clock stand so many hours from the database's for the length of a block."""

    @contextmanager
    def jumped() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: REAL() + hours * 3600)
            assert abs(clock.now() - shared_clock.now()) > timedelta(minutes=59)
            yield

    return jumped()


def test_d_an_import_is_held_as_long_as_on_any_other_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    content = write_csv(tmp_path / "upload.csv", [person(1)]).read_bytes()
    upload = Upload("people.csv", [content], MAPPING)
    batch = jobs.submit(actor=ACTOR, upload=upload, now=clock.now())

    def is_claimed() -> bool:
        return Run(batch.pk, started_at=clock.now()).claim()

    with on_a_host(monkeypatch, hours):
        jumped = Run(batch.pk, started_at=clock.now())
        assert jumped.claim()
        jumped.keep()
    left = ImportBatch.objects.get().run_until - shared_clock.now()
    assert timedelta(0) < left <= CLAIM
    assert not is_claimed()
    assert jobs.wake_imports(now=clock.now()) == 0
    with on_a_host(monkeypatch, hours):
        assert not is_claimed()
        assert jobs.wake_imports(now=clock.now()) == 0
    ImportBatch.objects.update(run_until=Moment(-1))
    assert jobs.wake_imports(now=clock.now()) == 1
    assert is_claimed()


def test_d_a_search_for_duplicates_is_given_up_by_no_host_while_its_worker_lives(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    with on_a_host(monkeypatch, hours):
        duplicate_searches.start(actor=ACTOR, now=clock.now())
    assert duplicate_searches.wake(now=clock.now()) == 0
    with on_a_host(monkeypatch, -hours):
        assert duplicate_searches.wake(now=clock.now()) == 0
    DuplicateSearch.objects.update(heard_at=Moment(-duplicate_searches.SILENCE.total_seconds() - 1))
    with on_a_host(monkeypatch, hours):
        assert duplicate_searches.wake(now=clock.now()) == 1
    assert duplicate_searches.wake(now=clock.now()) == 0


def test_d_a_round_of_builds_is_held_by_no_host_into_the_future(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    left: list[timedelta] = []

    def build(**_: object) -> None:
        left.append(Lease.objects.get().until - shared_clock.now())
        with on_a_host(monkeypatch, -hours):
            assert not leases.acquire(name=Lease.objects.get().name, holder="other", seconds=1)

    monkeypatch.setattr(refresh, "refresh_due", build)
    with on_a_host(monkeypatch, hours):
        assert rounds.build_round(actor=ACTOR, holder="one", read_clock=clock.now)
    assert timedelta(0) < left[0] <= timedelta(minutes=15)
    assert not Lease.objects.exists()
