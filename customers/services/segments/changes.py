"""Customers that changed are in or out of the stored segments within seconds."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from customers.domain.fields.catalogue import Catalogue
from customers.domain.segments.ast import Rule
from customers.domain.segments.events import events_of
from customers.domain.segments.scope import RuleScope
from customers.domain.segments.states import BuildState, SegmentKind
from customers.models import Segment, SegmentBuild, SegmentMember
from customers.selectors.segments import catalogue as segment_catalogue
from customers.selectors.segments import query, references
from customers.selectors.segments.references import SegmentRuleInvalid
from customers.services.segments import members as segment_members
from customers.services.segments.members import MembershipReason
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.changes import feed
from loancrm.kernel.changes.feed import Followed

CHANGE = "customers.change_segment"
CONSUMER = "segments"
FOLLOWED = ("customers", "events", "consents", "loans", "repayments", "scores")
_BATCH = 200
_PAUSE_BETWEEN_BUILDS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a round did.

    Attributes:
        is_complete: False when so much had changed that whole builds were asked for instead.
    """

    customer_count: int
    entered_count: int
    left_count: int
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class _Watched:
    segment: Segment
    rule: Rule
    scope: RuleScope


def apply_changes(*, actor: Actor, now: datetime) -> Applied:
    """Look at every customer touched since the last round again, in all segments that are built.

    A segment never built, or whose rule changed since, waits for its build. Doing a round twice
    does no harm.

    Raises:
        PermissionRefused: The actor may not change segments.
    """
    act = acting(actor, CHANGE, now=now)
    if not feed.has_news(consumer=CONSUMER, tables=FOLLOWED, now=now):
        return Applied(0, 0, 0)
    catalogue = segment_catalogue.load_catalogue()
    watched = list(_watched(catalogue, now))
    changes = feed.read(
        consumer=CONSUMER, tables=_followed(_event_types(watched, catalogue), now), now=now
    )
    entered = left = 0
    if changes.is_complete:
        for item in watched:
            came, went = _reevaluate(item.segment, item.rule, item.scope, changes.subjects)
            entered, left = entered + came, left + went
    else:
        _ask_for_builds(now)
    with act:
        feed.advance(changes)
        act.counted_elsewhere()
    count = len(changes.subjects)
    return Applied(count, entered, left, is_complete=changes.is_complete)


def _followed(event_types: Collection[int], now: datetime) -> dict[str, Followed]:
    """Return what of each table changes segments: of events, those that a rule asks about."""
    followed = {name: Followed() for name in FOLLOWED}
    # One of this very second counts for no rule yet; it is read when its moment has come.
    followed["events"] = Followed(Q(type_id__in=event_types), is_due=Q(occurred_at__lte=now))
    return followed


def _watched(catalogue: Catalogue, now: datetime) -> Iterator[_Watched]:
    """Yield the segments whose stored members follow their current rule."""
    builds = SegmentBuild.objects.filter(
        state=BuildState.BUILT, segment__kind=SegmentKind.DYNAMIC
    ).select_related("segment__current_version")
    for build in builds:
        segment = build.segment
        if segment.current_version is None or build.version_id != segment.current_version_id:
            continue
        try:
            rule, scope = references.load_rule(
                segment.current_version.rule,
                now=now,
                zone=clock.company_zone(),
                slug=segment.slug,
                catalogue=catalogue,
            )
        except SegmentRuleInvalid:
            # Its next build will fail and say so.
            SegmentBuild.objects.filter(pk=build.pk).update(due_at=now)
            continue
        yield _Watched(segment, rule, scope)


def _event_types(watched: Sequence[_Watched], catalogue: Catalogue) -> set[int]:
    names = {
        name
        for item in watched
        for rule in (item.rule, *item.scope.rules.values())
        for name in events_of(rule)
    }
    ids = {catalogue.events[name].type_id for name in names}
    return {key for key in ids if key is not None}


def _reevaluate(
    segment: Segment, rule: Rule, scope: RuleScope, customer_ids: Sequence[int]
) -> tuple[int, int]:
    """Bring some customers' membership up to date; return how many entered and left."""
    entered = left = 0
    for start in range(0, len(customer_ids), _BATCH):
        batch = customer_ids[start : start + _BATCH]
        narrowed = replace(scope, among=tuple(batch))
        with transaction.atomic():
            build = (
                SegmentBuild.objects.select_for_update(of=("self",))
                .select_related("version")
                .get(segment=segment)
            )
            if build.version is None or build.version_id != segment.current_version_id:
                break
            matching = query.customers_matching(rule, narrowed)
            wanted = set(matching.values_list("pk", flat=True))
            members = SegmentMember.objects.filter(
                segment=segment, left_at__isnull=True, customer_id__in=batch
            )
            present = set(members.values_list("customer_id", flat=True))
            came, went = sorted(wanted - present), sorted(present - wanted)
            if not came and not went:
                continue
            source = f"{MembershipReason.CHANGE}:{build.version.number}"
            segment_members.end_stays(
                segment=segment, customer_ids=went, source=source, now=scope.now
            )
            segment_members.begin_stays(
                segment=segment, customer_ids=came, source=source, now=scope.now
            )
            SegmentBuild.objects.filter(segment=segment).update(
                member_count=build.member_count + len(came) - len(went)
            )
        entered, left = entered + len(came), left + len(went)
    return entered, left


def _ask_for_builds(now: datetime) -> None:
    """Let whole builds follow, though no segment is built again within a few minutes."""
    for build in SegmentBuild.objects.filter(state=BuildState.BUILT, built_at__isnull=False):
        earliest = (build.built_at or now) + _PAUSE_BETWEEN_BUILDS
        due_at = min(build.due_at, max(now, earliest))
        SegmentBuild.objects.filter(pk=build.pk, state=BuildState.BUILT).update(due_at=due_at)
