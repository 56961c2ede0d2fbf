"""Who works on an import or a build is told by the database's clock, not by a host's."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from customers.services.imports import jobs
from customers.services.imports.jobs import Upload
from customers.services.imports.runs import begin_run
from customers.services.segments import refresh, rounds
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.database import leases, shared_clock
from loancrm.kernel.models import Lease, Work
from loancrm.kernel.work import service
from loancrm.kernel.work.claims import LEASE_SECONDS
from tests.integration.customers.import_rows import MAPPING, person, write_csv
from tests.kills import let_claims_run_out

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sql,
    pytest.mark.parametrize("hours", [-1, 1]),
]
REAL = time.time
ACTOR = system_actor("test")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_, **__: None)


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
        return begin_run(batch.pk, now=clock.now()) is not None

    with on_a_host(monkeypatch, hours):
        jumped = begin_run(batch.pk, now=clock.now())
        assert jumped is not None
        jumped.save_progress({})
    until = Work.objects.get().lease_until
    assert until is not None
    assert timedelta(0) < until - shared_clock.now() <= timedelta(seconds=LEASE_SECONDS)
    assert not is_claimed()
    assert service.wake() == 0
    with on_a_host(monkeypatch, hours):
        assert not is_claimed()
        assert service.wake() == 0
    let_claims_run_out()
    assert service.wake() == 1
    assert is_claimed()


def test_d_a_round_of_builds_is_held_by_no_host_into_the_future(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    left: list[timedelta] = []

    def build(**_: object) -> None:
        left.append(Lease.objects.get().until - shared_clock.now())
        with on_a_host(monkeypatch, -hours):
            assert not leases.claim(name=Lease.objects.get().name, holder="other", seconds=1)

    monkeypatch.setattr(refresh, "refresh_due", build)
    with on_a_host(monkeypatch, hours):
        assert rounds.build_round(actor=ACTOR, holder="one", read_clock=clock.now)
    assert timedelta(0) < left[0] <= timedelta(minutes=15)
    assert not Lease.objects.exists()
