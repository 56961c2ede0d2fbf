"""What sends nothing although people are due: nobody is at work for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet

from campaigns.domain.campaigns import course
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import ChunkState, DispatchStatus
from campaigns.models import Campaign, Chunk, Dispatch, MessageTemplate, Step
from loancrm.kernel.database import shared_clock

# Ticks come every two seconds and workers look once a second; a lease of a dead one runs out.
PATIENCE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Standstill:
    """Messages that are due, and since when nothing of them has moved.

    Attributes:
        name: Of the campaign, or of the template that was asked for.
        owner: The campaign; or the template, where a system asked for the messages.
    """

    name: str
    owner: Campaign | MessageTemplate
    since: datetime

    def minutes(self, now: datetime) -> int:
        """Return for how many whole minutes it has stood still."""
        return int((now - self.since).total_seconds()) // 60


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that begins by itself once the time for late reports of the step before is over."""

    step: Step
    until: datetime


def of_campaign(campaign: Campaign) -> Standstill | None:
    """Return since when a campaign has stood still, or None while it moves or has nothing to do."""
    return next(iter(_found(Dispatch.objects.filter(campaign=campaign))), None)


def everywhere() -> Sequence[Standstill]:
    """Return everything that stands still, the longest first, each campaign and template once."""
    return sorted(_found(Dispatch.objects.all()), key=lambda found: found.since)


def next_step(campaign: Campaign) -> Waiting | None:
    """Return the step that a running campaign waits for."""
    if campaign.status != CampaignStatus.RUNNING:
        return None
    last = Dispatch.objects.filter(campaign=campaign).order_by("run_number", "position").last()
    if last is None or last.status != DispatchStatus.COMPLETED or last.completed_at is None:
        return None
    steps = campaign.steps.filter(position=last.position + 1)
    step = steps.select_related("touchpoint__channel").first()
    if step is None:
        return None
    return Waiting(step, course.begins_at(last.completed_at, step.wait_minutes))


def _found(dispatches: QuerySet[Dispatch]) -> list[Standstill]:
    now = shared_clock.now()
    limit = now - PATIENCE
    of_run = Chunk.objects.filter(dispatch=OuterRef("pk"))
    left = of_run.exclude(state=ChunkState.DONE).filter(due_at__lte=limit)
    at_work = of_run.filter(lease_until__gt=now)
    runs = (
        dispatches.filter(is_paused=False)
        .filter(
            Q(status=DispatchStatus.SCHEDULED, frozen_at__lte=limit, due_at__lte=limit)
            | (Q(Exists(left), ~Exists(at_work), status=DispatchStatus.RUNNING))
        )
        # A channel that is blocked or pauses is told of by itself.
        .exclude(channel__blocked_at__isnull=False)
        .exclude(channel__paused_until__gt=now)
        .select_related("campaign", "request__template")
    )
    found: dict[Campaign | MessageTemplate, Standstill] = {}
    for run in runs:
        owner = run.campaign or run.request.template
        if owner in found:
            continue
        since = _since(run)
        if since <= limit:
            found[owner] = Standstill(run.name, owner, since)
    return list(found.values())


def _since(run: Dispatch) -> datetime:
    """Return when a run moved last, or should have begun."""
    if run.status == DispatchStatus.SCHEDULED:
        return max(run.due_at, run.frozen_at or run.due_at)
    first = run.chunks.exclude(state=ChunkState.DONE).aggregate(at=Min("due_at"))["at"]
    moved = run.messages.aggregate(tried=Max("attempted_at"), closed=Max("closed_at"))
    known = [at for at in (first, run.frozen_at, *moved.values()) if at is not None]
    return max(known, default=run.due_at)
