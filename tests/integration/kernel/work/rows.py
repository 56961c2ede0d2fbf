"""Pieces of long work as tests need them, and their worker."""

from datetime import UTC, datetime
from typing import Any

from customers.jobs import DUPLICATE_SEARCH
from customers.models import DuplicateSearch
from loancrm.kernel.access import system_actor
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import Work
from loancrm.kernel.work import service

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
ACTOR = system_actor("test")


def started(kind: str = DUPLICATE_SEARCH, **given: Any) -> Work:
    """Return work that waits, with what it is about."""
    work = service.start(kind=kind, actor=ACTOR, now=NOW, **given)
    if kind == DUPLICATE_SEARCH:
        DuplicateSearch.objects.create(work=work, limit=1)
    return work


def let_lease_run_out(work: Work) -> None:
    """Let the time pass after which the work of a dead worker is free again."""
    Work.objects.filter(pk=work.pk).update(lease_until=Moment(-1), heartbeat_at=Moment(-121))
