"""Long work as one page shows it: of all kinds, with what is stuck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.manifest import WorkKind
from loancrm.kernel.models import Work, WorkState
from loancrm.kernel.work.kinds import kind_of, subject_model

STUCK_SECONDS: Final = 60.0
# Longer than any step of a search or a discovery takes between two words about its progress.
STANDSTILL_SECONDS: Final = 1800.0
STUCK: Final = "stuck"
_OPEN: Final = (WorkState.WAITING.value, WorkState.RUNNING.value)


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A piece of work with what the page needs beside it.

    Attributes:
        subject_id: Number of what it is about; None where that is gone.
        is_silent: It gives no signs of life; its worker is gone.
        is_standing: It gives signs of life, and gets no further.
    """

    work: Work
    kind: WorkKind
    subject_id: int | None
    is_silent: bool
    is_standing: bool

    @property
    def is_stuck(self) -> bool:
        """Return whether it is not to be waited for."""
        return self.is_silent or self.is_standing


def is_stuck() -> Q:
    """Return which work runs, but gave no sign of life for a minute or got no further for long."""
    return _is_silent() | _is_standing()


def _is_silent() -> Q:
    silent = Q(heartbeat_at__lt=Moment(-STUCK_SECONDS)) | Q(heartbeat_at__isnull=True)
    return Q(state=WorkState.RUNNING) & silent


def _is_standing() -> Q:
    return Q(state=WorkState.RUNNING, progress_at__lt=Moment(-STANDSTILL_SECONDS))


def latest(kinds: Iterable[WorkKind], *, state: str = "") -> QuerySet[Work]:
    """Return the work of some kinds, open work first, then the newest; of one state if given."""
    found = Work.objects.filter(kind__in=[kind.name for kind in kinds])
    if state == STUCK:
        found = found.filter(is_stuck())
    elif state:
        found = found.filter(state=state)
    place = Case(When(state__in=_OPEN, then=0), default=1, output_field=IntegerField())
    return found.order_by(place, "-created_at", "-pk")


def counts(kinds: Iterable[WorkKind]) -> Mapping[str, int]:
    """Return how much work of some kinds there is in each state, and how much is stuck."""
    found = Work.objects.filter(kind__in=[kind.name for kind in kinds])
    by_state = {state.value: Count("pk", filter=Q(state=state)) for state in WorkState}
    return found.aggregate(**by_state, **{STUCK: Count("pk", filter=is_stuck())})


def troubled(kinds: Iterable[WorkKind], *, since: datetime) -> Mapping[str, int]:
    """Return how much work of some kinds is stuck, and how much has failed since a time."""
    found = Work.objects.filter(kind__in=[kind.name for kind in kinds])
    failed = Q(state=WorkState.FAILED, finished_at__gte=since)
    return found.aggregate(
        **{STUCK: Count("pk", filter=is_stuck())},
        **{WorkState.FAILED.value: Count("pk", filter=failed)},
    )


def rows_of(page: QuerySet[Work]) -> list[WorkRow]:
    """Return a page of work with what each is about: a query for the work, and one a kind."""
    marked = page.annotate(
        silent=Case(When(_is_silent(), then=Value(1)), default=Value(0)),
        standing=Case(When(_is_standing(), then=Value(1)), default=Value(0)),
    )
    found = list(marked.defer("checkpoint"))
    subjects: dict[int, int] = {}
    by_kind = sorted(found, key=lambda work: work.kind)
    for name, works in groupby(by_kind, key=lambda work: work.kind):
        rows = subject_model(kind_of(name))._default_manager.filter(work__in=[w.pk for w in works])  # noqa: SLF001 - the documented way to a model that is a value
        subjects |= dict(rows.values_list("work_id", "pk"))
    return [
        WorkRow(
            work,
            kind_of(work.kind),
            subjects.get(work.pk),
            is_silent=bool(work.silent),
            is_standing=bool(work.standing) and not work.silent,
        )
        for work in found
    ]
