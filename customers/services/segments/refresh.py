"""Stored members of dynamic segments: built anew as a whole, and kept when a build fails."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F, Max, Q, QuerySet

from customers.domain.segments.states import BuildState, SegmentKind
from customers.labels import problems as problem_labels
from customers.models import ImportBatch, Segment, SegmentBuild, SegmentVersion
from customers.selectors.segments import query, references
from customers.services.segments import members
from customers.services.segments.members import MembershipReason, RefreshResult
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import bulk
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

CHANGE = "customers.change_segment"
REFRESH_EVERY = timedelta(hours=1)
_FIRST_RETRY = timedelta(minutes=1)
_MAX_DOUBLINGS = 6

logger = logging.getLogger(__name__)


class SegmentBuildFailed(LoanCrmError):
    """A segment's members could not be built; the earlier members stay, and it is tried again."""

    code = "segment_build_failed"


class SegmentNotBuildable(LoanCrmError):
    """The segment has no rule from which members could be built."""

    code = "segment_not_buildable"


@dataclass(frozen=True, slots=True)
class DueRefreshed:
    """How a round over the due segments went."""

    built_count: int
    failed_count: int


def refresh_segment(*, actor: Actor, segment: Segment, now: datetime) -> RefreshResult:
    """Bring the stored members of a dynamic segment up to its current rule and this moment.

    Only differences are written. When the build fails, nothing of it stays, the failure is
    recorded, and the next attempt is due after a pause that doubles.

    Raises:
        PermissionRefused: The actor may not change this segment.
        SegmentNotBuildable: It is a list of members, or has no rule yet.
        SegmentBuildFailed: The rule no longer fits the catalogue, or the database failed.
    """
    act = acting(actor, CHANGE, on=segment, now=now)
    if segment.kind != SegmentKind.DYNAMIC or segment.current_version_id is None:
        raise SegmentNotBuildable(
            _("The segment “%(slug)s” has no rule to build members from.") % {"slug": segment.slug},
            slug=segment.slug,
        )
    SegmentBuild.objects.get_or_create(segment=segment, defaults={"due_at": now})
    try:
        with act:
            # What a crash of the database loses with it, the next round builds again.
            bulk.commit_lazily()
            bulk.read_widely()
            difference = _build(segment, now)
            if actor.user is not None:
                counts = {"entered": difference.entered_count, "left": difference.left_count}
                act.record("segment.refresh", facts={"slug": segment.slug, **counts})
            else:
                act.counted_elsewhere()
    except (DatabaseError, LoanCrmError) as error:
        code = error.code if isinstance(error, LoanCrmError) else "database_error"
        _note_failure(segment, code, now)
        raise SegmentBuildFailed(
            _("The members of “%(slug)s” could not be built (%(reason)s); the earlier ones stay.")
            % {"slug": segment.slug, "reason": problem_labels.build_problem(code)},
            slug=segment.slug,
            reason=code,
        ) from error
    return difference


def refresh_due(
    *, actor: Actor, read_clock: Callable[[], datetime], slice_seconds: float
) -> DueRefreshed:
    """Build the segments that are due, longest due first, for about so many seconds.

    Args:
        read_clock: Returns the aware current time.

    Raises:
        PermissionRefused: The actor may not change segments.
    """
    access.require(actor, CHANGE)
    started = read_clock()
    built = failed = 0
    for segment in due_segments(now=started):
        try:
            refresh_segment(actor=actor, segment=segment, now=read_clock())
            built += 1
        except SegmentBuildFailed as error:
            logger.warning("segment build failed: %s", error.facts)
            failed += 1
        if (read_clock() - started).total_seconds() >= slice_seconds:
            break
    return DueRefreshed(built, failed)


def due_segments(*, now: datetime) -> QuerySet[Segment]:
    """Return the dynamic segments never built, due, or older than the last finished import.

    An import that a host with a clock ahead has finished counts when its time has come: until then
    every build would be older, and be made again in each round. Its rows are told by the feed.
    """
    finished = ImportBatch.objects.filter(work__finished_at__lte=now)
    imported_at = finished.aggregate(last=Max("work__finished_at"))["last"]
    is_due = Q(build__isnull=True) | Q(build__due_at__lte=now)
    if imported_at is not None:
        is_due |= Q(build__state=BuildState.BUILT, build__built_at__lt=imported_at)
    return Segment.objects.filter(
        is_due, kind=SegmentKind.DYNAMIC, current_version__isnull=False
    ).order_by(F("build__due_at").asc(nulls_first=True), "pk")


def mark_due(*, segment_slugs: set[str], now: datetime) -> None:
    """Let the next round build these segments, whatever went wrong before."""
    SegmentBuild.objects.filter(segment__slug__in=segment_slugs).update(due_at=now, attempts=0)


def _build(segment: Segment, now: datetime) -> RefreshResult:
    build = SegmentBuild.objects.select_for_update().get(segment=segment)
    version = SegmentVersion.objects.get(pk__in=_current_version_id(segment))
    rule, scope = references.load_rule(
        version.rule, now=now, zone=clock.company_zone(), slug=segment.slug
    )
    reason = MembershipReason.TIME if build.version_id == version.pk else MembershipReason.RULE
    difference = members.write_difference(
        segment=segment,
        matching=query.customers_matching(rule, scope),
        source=f"{reason}:{version.number}",
        now=now,
        # Who is in a segment when it is first looked at was in it before, and did not enter it.
        are_entries_told=build.built_at is not None,
    )
    SegmentBuild.objects.filter(segment=segment).update(
        state=BuildState.BUILT,
        version=version,
        built_at=now,
        member_count=difference.member_count,
        entered_count=difference.entered_count,
        left_count=difference.left_count,
        error_code="",
        attempts=0,
        due_at=now + REFRESH_EVERY,
    )
    Segment.objects.filter(pk=segment.pk).update(
        last_count=difference.member_count, last_counted_at=now
    )
    return difference


def _current_version_id(segment: Segment) -> QuerySet[Segment, int | None]:
    return Segment.objects.filter(pk=segment.pk).values_list("current_version_id", flat=True)


def _note_failure(segment: Segment, code: str, now: datetime) -> None:
    with transaction.atomic():
        build = SegmentBuild.objects.select_for_update().get(segment=segment)
        pause = _FIRST_RETRY * 2 ** min(build.attempts, _MAX_DOUBLINGS)
        SegmentBuild.objects.filter(segment=segment).update(
            state=BuildState.FAILED,
            failed_at=now,
            error_code=code,
            attempts=build.attempts + 1,
            due_at=now + min(pause, REFRESH_EVERY),
        )
