"""Take in the history of campaigns that ran elsewhere, so that the same code reports on them.

Every touch becomes an event; every touched person gets one delivered message at the time of the
first touch, in a dispatch of an imported campaign.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Count, Max, Min

from campaigns.domain.partners.touches import Exposure, Touch, TouchChannel, is_touch, parse_touch
from campaigns.domain.sending.states import DispatchSource, DispatchStatus, MessageState
from campaigns.models import Campaign, Dispatch, Message, Step, Touchpoint, Variant
from campaigns.services.partners.past_campaigns import PastCampaign, campaign_of, refuse_unfit
from customers.domain.events.event import EventError, EventProblem, ReportedEvent
from customers.domain.reading.records import ColumnMap
from customers.selectors.identity import keys as identity
from customers.services.events import from_file
from customers.services.events import log as event_log
from customers.services.sources import registry
from customers.services.sources.balance import require_balance
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.database import bulk

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class TouchImport:
    """What became of the rows of a file: rows = touches + rejected + other_rows.

    Attributes:
        exposed: Distinct persons touched according to this file.
        touches: Rows that are touches of known persons, repeated ones included.
        created: Messages that are new.
        updated: Messages whose first touch or cost changed.
        other_rows: Rows about something else than a touch.
        joined_lines: Where the first rows begin that were read from several lines.
    """

    source: str
    rows: int
    exposed: int
    touches: int
    rejected: int
    other_rows: int
    created: int
    updated: int
    by_reason: Mapping[str, int]
    rejected_lines: tuple[tuple[int, str], ...] = ()
    joined_lines: tuple[int, ...] = ()


@dataclass(slots=True)
class _TouchCounts:
    """What has become of the rows so far."""

    exposed: set[int] = field(default_factory=set)
    created: set[int] = field(default_factory=set)
    updated: set[int] = field(default_factory=set)
    by_kind: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[int, str]] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Exposures:
    """One exposure a person in one batch of rows, and the part of it that is new."""

    all: dict[int, Exposure] = field(default_factory=dict)
    fresh: dict[int, Exposure] = field(default_factory=dict)

    def add(self, customer_id: int, touch: Touch, *, is_new: bool) -> None:
        """Count one touch of one person."""
        for exposures in (self.all, self.fresh) if is_new else (self.all,):
            known = exposures.get(customer_id)
            exposures[customer_id] = known.with_touch(touch) if known else Exposure.of(touch)


def import_touches(
    *,
    actor: Actor,
    path: Path,
    past: PastCampaign,
    now: datetime,
    source: str = "",
    encoding: str = "",
    on_progress: Callable[[int], object] | None = None,
) -> TouchImport:
    """Read a file of touches into a campaign of the past, which is created when missing.

    Columns: external_id and touched_at or occurred_at; optional event_id, event, variant, cost,
    channel. Where there is an event column, only rows with the channel's event (call_made for the
    phone, message_delivered otherwise) are touches. Importing the same file again changes nothing.

    Args:
        actor: Who imports.
        path: CSV, XLSX or JSON lines.
        past: Which campaign, how it reached people, and what counted as success.
        now: When; later touches are refused.
        source: Whose external ids the file uses; found by its first rows when empty.
        encoding: Of a text file; found out where it is certain when empty.
        on_progress: Called with the number of rows done.

    Raises:
        PermissionRefused: The actor may not import touches.
        CampaignNotImported: The campaign exists and was run here.
        GoalFixed: The campaign exists with another goal or window.
        RowsRefused: The file cannot be read.
        RowsUnbalanced: Rows of the file have gone astray.
        SourceUnknown: The source is not registered, and only registered ones may hand in data.
        SourceBarred: The source's contract is not in force.
    """
    act = acting(actor, "campaigns.import_touches", now=now)
    refuse_unfit(past)
    counts = _TouchCounts()
    with from_file.opened(path, ColumnMap(encoding=encoding)) as records:
        name, rows = from_file.source_of(records.rows, source)
        registry.admit(actor=actor, name=name, now=now)
        for batch in from_file.batches(rows, _BATCH):
            touches = _parse(batch, channel=past.channel, now=now, counts=counts)
            # The events tell a later run what is new, so the messages with their costs must be
            # stored together with them: a run that was killed goes on where it was.
            with act:
                exposures = _record_touches(touches, past=past, source=name, now=now, counts=counts)
                written = _expose(act, exposures, past=past, counts=counts)
                # Each part with its entry: the one of the whole never comes after a kill.
                if written:
                    facts = {"source": name, "messages": written}
                    act.record("touches.import", on=(Campaign, past.slug), facts=facts)
                else:
                    act.unchanged()
            if on_progress:
                on_progress(len(batch))
        counts.joined = records.joined_lines
    return _finish(act, counts, past=past, source=name)


def _finish(act: Act, counts: _TouchCounts, *, past: PastCampaign, source: str) -> TouchImport:
    """Bring what follows from all messages up to date, and tell the audit trail."""
    require_balance(
        counts.by_kind["rows"],
        touches=counts.by_kind["touches"],
        rejected=counts.reasons.total(),
        other=counts.by_kind["other"],
    )
    with act:
        campaign = campaign_of(act, past)
        _refresh_times(campaign, act.now)
        result = TouchImport(
            source=source,
            rows=counts.by_kind["rows"],
            exposed=len(counts.exposed),
            touches=counts.by_kind["touches"],
            rejected=counts.reasons.total(),
            other_rows=counts.by_kind["other"],
            created=len(counts.created),
            updated=len(counts.updated - counts.created),
            by_reason=dict(sorted(counts.reasons.items())),
            rejected_lines=tuple(counts.lines[: from_file.NOTED_LINES]),
            joined_lines=tuple(counts.joined[: from_file.NOTED_LINES]),
        )
        act.record("touches.import", on=(Campaign, past.slug), facts=asdict(result))
    return result


def _parse(
    rows: list[Mapping[str, object]], *, channel: TouchChannel, now: datetime, counts: _TouchCounts
) -> list[Touch]:
    counts.by_kind["rows"] += len(rows)
    touches: list[Touch] = []
    zone = clock.company_zone()
    for row in rows:
        if flaw := from_file.note_flaw(row, counts.lines):
            counts.reasons[flaw] += 1
            continue
        if not is_touch(row, channel.event_name):
            counts.by_kind["other"] += 1
            continue
        try:
            touches.append(parse_touch(row, channel=channel, now=now, zone=zone))
        except EventError as err:
            counts.reasons[err.problem.value] += 1
            from_file.note_line(row, code=err.problem.value, lines=counts.lines)
    return touches


def _record_touches(
    touches: list[Touch], *, past: PastCampaign, source: str, now: datetime, counts: _TouchCounts
) -> _Exposures:
    people = identity.customer_ids(source=source, external_ids={x.external_id for x in touches})
    known = [touch for touch in touches if touch.external_id in people]
    if len(known) < len(touches):
        counts.reasons[EventProblem.PERSON_UNKNOWN.value] += len(touches) - len(known)
    result = event_log.append_events(
        events=[
            ReportedEvent(
                source=source,
                external_id=touch.external_id,
                customer_id=people[touch.external_id],
                name=past.channel.event_name,
                occurred_at=touch.touched_at,
                dedup_key=touch.dedup_key,
                channel=touch.medium,
                subject=past.slug,
            )
            for touch in known
        ],
        now=now,
    )
    counts.by_kind["touches"] += len(known)
    exposures = _Exposures()
    told: set[tuple[str, str]] = set()
    for touch, outcome in zip(known, result.outcomes, strict=True):
        # What a file says twice has happened, and was paid, once.
        if (touch.external_id, touch.dedup_key) in told:
            continue
        told.add((touch.external_id, touch.dedup_key))
        is_new = outcome is event_log.EventOutcome.CREATED
        exposures.add(people[touch.external_id], touch, is_new=is_new)
    return exposures


def _expose(act: Act, exposures: _Exposures, *, past: PastCampaign, counts: _TouchCounts) -> int:
    """Write one message a person, or widen the one that is there; return how many were written."""
    if not exposures.all:
        return 0
    dispatch = _dispatch(campaign_of(act, past), past.channel, exposures, act.now)
    keys = {exposure.variant for exposure in exposures.all.values()} - {""}
    variants = _variants(dispatch.touchpoint_id, sorted(keys))
    people = sorted(exposures.all)
    stored = {
        message.customer_id: message
        for message in Message.objects.filter(dispatch=dispatch, customer_id__in=people)
    }
    fresh = [customer_id for customer_id in people if customer_id not in stored]
    Message.objects.bulk_create(
        _message(dispatch, customer_id, exposures.all[customer_id], variants)
        for customer_id in fresh
    )
    by_id = {message.pk: customer_id for customer_id, message in stored.items()}
    counts.exposed.update(people)
    counts.created.update(fresh)
    widened = [by_id[pk] for pk in _widen(stored, exposures, variants)]
    counts.updated.update(widened)
    return len(fresh) + len(widened)


def _dispatch(
    campaign: Campaign, channel: TouchChannel, exposures: _Exposures, now: datetime
) -> Dispatch:
    dispatch = campaign.dispatches.filter(channel_kind=channel).first()
    if dispatch is not None:
        return dispatch
    touchpoint = Touchpoint.objects.create()
    step = Step.objects.create(
        campaign=campaign, position=campaign.steps.count() + 1, touchpoint=touchpoint
    )
    return Dispatch.objects.create(
        source=DispatchSource.STEP,
        campaign=campaign,
        step=step,
        position=step.position,
        touchpoint=touchpoint,
        name=campaign.name,
        subject=campaign.slug,
        purpose=campaign.purpose,
        channel_kind=channel,
        status=DispatchStatus.COMPLETED,
        due_at=min(exposure.first_at for exposure in exposures.all.values()),
        frozen_at=now,
    )


def _variants(touchpoint_id: int, keys: list[str]) -> dict[str, int]:
    Variant.objects.bulk_create(
        [Variant(touchpoint_id=touchpoint_id, key=key) for key in keys], ignore_conflicts=True
    )
    rows = Variant.objects.filter(touchpoint_id=touchpoint_id, key__in=keys)
    return dict(rows.values_list("key", "pk"))


def _message(
    dispatch: Dispatch, customer_id: int, exposure: Exposure, variants: Mapping[str, int]
) -> Message:
    return Message(
        dispatch=dispatch,
        customer_id=customer_id,
        variant_id=variants.get(exposure.variant),
        state=MessageState.DELIVERED,
        due_at=exposure.first_at,
        planned_at=exposure.first_at,
        attempted_at=exposure.first_at,
        sent_at=exposure.first_at,
        delivered_at=exposure.first_at,
        closed_at=exposure.first_at,
        attempts=min(exposure.touch_count, 32767),
        cost_amount=exposure.cost_amount,
    )


def _widen(
    stored: Mapping[int, Message], exposures: _Exposures, variants: Mapping[str, int]
) -> list[Any]:
    """Move messages to an earlier first touch, add the cost of new touches; return their ids."""
    rows = []
    for customer_id, message in stored.items():
        first = exposures.all[customer_id]
        new = exposures.fresh.get(customer_id)
        old_at = message.sent_at or first.first_at
        if new is None and first.first_at >= old_at:
            continue
        is_earlier = first.first_at < old_at
        at = min(first.first_at, old_at)
        variant_id = variants.get(first.variant) if is_earlier else message.variant_id
        count = message.attempts + (new.touch_count if new else 0)
        cost = message.cost_amount + (new.cost_amount if new else 0)
        rows.append((message.pk, at, at, at, at, at, at, variant_id, min(count, 32767), cost))
    return bulk.update_rows(
        Message,
        key="id",
        columns=(
            "due_at",
            "planned_at",
            "attempted_at",
            "sent_at",
            "delivered_at",
            "closed_at",
            "variant",
            "attempts",
            "cost_amount",
        ),
        rows=rows,
    )


def _refresh_times(campaign: Campaign, now: datetime) -> None:
    spans = {
        row["dispatch"]: row
        for row in Message.objects.filter(dispatch__campaign=campaign)
        .values("dispatch")
        .annotate(first=Min("sent_at"), last=Max("sent_at"), people=Count("pk"))
    }
    for dispatch_id, span in spans.items():
        Dispatch.objects.filter(pk=dispatch_id).update(
            due_at=span["first"], audience_count=span["people"]
        )
    Campaign.objects.filter(pk=campaign.pk).update(
        launched_at=min((span["first"] for span in spans.values()), default=None),
        completed_at=max((span["last"] for span in spans.values()), default=None),
        updated_at=now,
    )
