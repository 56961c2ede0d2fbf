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

from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils.translation import gettext as _

from campaigns.domain.campaign import CampaignStatus, DispatchStatus, MessageState
from campaigns.domain.touches import Exposure, Touch, TouchChannel, is_touch, parse_touch
from campaigns.models import Campaign, Dispatch, Message, Step, Variant
from customers.domain.events import EventError, EventName, EventProblem, ReportedEvent
from customers.domain.records import ColumnMap
from customers.selectors import identity
from customers.services import event_imports, sources
from customers.services import events as event_log
from loancrm.kernel import audit, bulk, clock
from loancrm.kernel.access import Actor, require
from loancrm.kernel.errors import LoanCrmError

_BATCH = 1000


class CampaignNotImported(LoanCrmError):
    """A campaign of this name was run here; foreign touches cannot be added to it."""

    code = "campaign_not_imported"


class GoalFixed(LoanCrmError):
    """A campaign's goal and window are fixed once it has messages."""

    code = "goal_fixed"


@dataclass(frozen=True, slots=True)
class Goal:
    """What counts as success of a past campaign, and for how long after the first touch."""

    event_name: str = EventName.APPLICATION_SUBMITTED
    window_days: int = 7


@dataclass(frozen=True, slots=True)
class PastCampaign:
    """A campaign that ran elsewhere; a goal of None is the stored one, or the default."""

    slug: str
    channel: TouchChannel
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class TouchImport:
    """What became of the rows of a file: rows = touches + rejected + other_rows.

    Attributes:
        exposed: Distinct persons touched according to this file.
        touches: Rows that are touches of known persons, repeated ones included.
        created: Messages that are new.
        updated: Messages whose first touch or cost changed.
        other_rows: Rows about something else than a touch.
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


@dataclass(slots=True)
class _Tally:
    """What has become of the rows so far."""

    exposed: set[int] = field(default_factory=set)
    created: set[int] = field(default_factory=set)
    updated: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[int, str]] = field(default_factory=list)


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
        SourceUnknown: The source is not registered, and only registered ones may hand in data.
        SourceBarred: The source's contract is not in force.
    """
    require(actor, "campaigns.import_touches")
    _refuse_unfit_campaign(past)
    tally = _Tally()
    with event_imports.opened(path, ColumnMap(encoding=encoding)) as records:
        name, rows = event_imports.source_of(records.rows, source)
        sources.admit(actor=actor, name=name, now=now)
        for batch in event_imports.batches(rows, _BATCH):
            touches = _parse(batch, channel=past.channel, now=now, tally=tally)
            # The events tell a later run what is new, so the messages with their costs must be
            # stored together with them: a run that was killed goes on where it was.
            with transaction.atomic():
                exposures = _record_touches(touches, past=past, source=name, now=now, tally=tally)
                _expose(exposures, past=past, actor=actor, now=now, tally=tally)
            if on_progress:
                on_progress(len(batch))
    return _finish(tally, past=past, source=name, actor=actor, now=now)


def _finish(
    tally: _Tally, *, past: PastCampaign, source: str, actor: Actor, now: datetime
) -> TouchImport:
    """Bring what follows from all messages up to date, and tell the audit trail."""
    with transaction.atomic():
        campaign = _campaign(past, actor, now)
        _refresh_times(campaign, now)
        result = TouchImport(
            source=source,
            rows=tally.counts["rows"],
            exposed=len(tally.exposed),
            touches=tally.counts["touches"],
            rejected=tally.reasons.total(),
            other_rows=tally.counts["other"],
            created=len(tally.created),
            updated=len(tally.updated - tally.created),
            by_reason=dict(sorted(tally.reasons.items())),
            rejected_lines=tuple(tally.lines[: event_imports.NOTED_LINES]),
        )
        audit.record(
            actor=actor,
            action="touches.import",
            object_type="campaign",
            object_id=past.slug,
            now=now,
            facts=asdict(result),
        )
    return result


def _parse(
    rows: list[Mapping[str, object]], *, channel: TouchChannel, now: datetime, tally: _Tally
) -> list[Touch]:
    tally.counts["rows"] += len(rows)
    touches: list[Touch] = []
    zone = clock.company_zone()
    for row in rows:
        if flaw := event_imports.note_flaw(row, tally.lines):
            tally.reasons[flaw] += 1
            continue
        if not is_touch(row, channel.event_name):
            tally.counts["other"] += 1
            continue
        try:
            touches.append(parse_touch(row, channel=channel, now=now, zone=zone))
        except EventError as err:
            tally.reasons[err.problem.value] += 1
            event_imports.note_line(row, code=err.problem.value, lines=tally.lines)
    return touches


def _record_touches(
    touches: list[Touch], *, past: PastCampaign, source: str, now: datetime, tally: _Tally
) -> _Exposures:
    people = identity.customer_ids(source=source, external_ids={x.external_id for x in touches})
    known = [touch for touch in touches if touch.external_id in people]
    if len(known) < len(touches):
        tally.reasons[EventProblem.PERSON_UNKNOWN.value] += len(touches) - len(known)
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
    tally.counts["touches"] += len(known)
    exposures = _Exposures()
    for touch, outcome in zip(known, result.outcomes, strict=True):
        is_new = outcome is event_log.EventOutcome.CREATED
        exposures.add(people[touch.external_id], touch, is_new=is_new)
    return exposures


def _refuse_unfit_campaign(past: PastCampaign) -> None:
    slug = past.slug
    campaign = Campaign.objects.filter(slug=slug).first()
    if campaign is None:
        return
    if campaign.status != CampaignStatus.IMPORTED:
        raise CampaignNotImported(
            _("The campaign %(slug)s was run here; touches from elsewhere cannot be added to it.")
            % {"slug": slug},
            slug=slug,
        )
    stored = Goal(campaign.goal_event, campaign.goal_window_days)
    if past.goal is not None and past.goal != stored:
        raise GoalFixed(
            _("The goal of %(slug)s is %(event)s within %(days)d days and cannot be changed.")
            % {"slug": slug, "event": stored.event_name, "days": stored.window_days},
            slug=slug,
        )


def _campaign(past: PastCampaign, actor: Actor, now: datetime) -> Campaign:
    goal = past.goal or Goal()
    campaign, _is_new = Campaign.objects.get_or_create(
        slug=past.slug,
        defaults={
            "name": past.slug,
            "status": CampaignStatus.IMPORTED,
            "goal_event": goal.event_name,
            "goal_window_days": goal.window_days,
            "author": actor.user,
            "created_at": now,
            "updated_at": now,
        },
    )
    return campaign


def _expose(
    exposures: _Exposures, *, past: PastCampaign, actor: Actor, now: datetime, tally: _Tally
) -> None:
    """Write one message a person, or widen the one that is there."""
    if not exposures.all:
        return
    dispatch = _dispatch(_campaign(past, actor, now), past.channel, exposures, now)
    keys = {exposure.variant for exposure in exposures.all.values()} - {""}
    variants = _variants(dispatch.step_id, sorted(keys))
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
    tally.exposed.update(people)
    tally.created.update(fresh)
    tally.updated.update(by_id[pk] for pk in _widen(stored, exposures, variants))


def _dispatch(
    campaign: Campaign, channel: TouchChannel, exposures: _Exposures, now: datetime
) -> Dispatch:
    dispatch = campaign.dispatches.filter(channel_kind=channel, is_test=False).first()
    if dispatch is not None:
        return dispatch
    step = Step.objects.create(campaign=campaign, position=campaign.steps.count() + 1)
    return Dispatch.objects.create(
        campaign=campaign,
        step=step,
        channel_kind=channel,
        status=DispatchStatus.COMPLETED,
        due_at=min(exposure.first_at for exposure in exposures.all.values()),
        frozen_at=now,
    )


def _variants(step_id: int, keys: list[str]) -> dict[str, int]:
    Variant.objects.bulk_create(
        [Variant(step_id=step_id, key=key) for key in keys], ignore_conflicts=True
    )
    return dict(Variant.objects.filter(step_id=step_id, key__in=keys).values_list("key", "pk"))


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
