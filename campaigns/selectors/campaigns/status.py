"""Where a campaign stands: one state a person, counts that add up to the audience."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, Sum

from campaigns.domain.sending.states import OPEN_STATES, ChunkState, DispatchStatus, MessageState
from campaigns.models import Campaign, Chunk, Message
from campaigns.selectors.campaigns import last_messages, live_progress

LISTED_UNKNOWN = 100


@dataclass(frozen=True, slots=True)
class DispatchProgress:
    """One run of a step."""

    id: int
    step: int
    channel: str
    status: str
    hold_reason: str
    audience: int
    states: Mapping[str, int]
    due_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """A campaign's people by state.

    Attributes:
        audience: People in the frozen audience.
        states: Every state with its count; a person whom a fallback served counts there once.
        reasons: Why people were skipped, held out or not reached.
        unknown_message_ids: Messages of unknown fate, at most 100 of them.
        unknown_count: Messages of unknown fate, of all steps.
        cost_amount: What the messages handed over cost, in CNY; one of unknown fate may have been.
        unknown_cost_amount: What of it belongs to messages of unknown fate.
        sent_count: People to whom a message was handed over, whatever became of it.
    """

    slug: str
    status: str
    audience: int
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    unknown_message_ids: tuple[int, ...]
    unknown_count: int
    cost_amount: str
    unknown_cost_amount: str
    sent_count: int
    dispatches: tuple[DispatchProgress, ...]

    @property
    def open_count(self) -> int:
        """Return how many people still wait for a decision."""
        return sum(self.states[state] for state in OPEN_STATES)

    @property
    def is_held(self) -> bool:
        """Return whether a dispatch waits for a person."""
        return any(item.status == DispatchStatus.HELD for item in self.dispatches)

    @property
    def hold_reason(self) -> str:
        """Return why it waits."""
        return next((item.hold_reason for item in self.dispatches if item.hold_reason), "")

    def to_json(self) -> dict[str, Any]:
        """Return the plain form for commands, pages and the API."""
        return {**asdict(self), "audience": self.audience}


def waits_until(campaign: Campaign, *, now: datetime) -> datetime | None:
    """Return when the next message is due; None when one is due now or none is open."""
    next_due = (
        Chunk.objects.filter(dispatch__campaign=campaign)
        .exclude(state=ChunkState.DONE)
        .aggregate(due=Min("due_at"))["due"]
    )
    return next_due if next_due is not None and next_due > now else None


def status_of(campaign: Campaign) -> CampaignProgress:
    """Return where a campaign stands, in five queries."""
    dispatches = live_progress.dispatches(campaign)
    rows = (
        Message.objects.filter(dispatch__in=dispatches)
        if campaign.trigger is None
        else Message.objects.filter(dispatch__campaign=campaign)
    )
    last_rows = rows.filter(~last_messages.is_served_later()) if len(dispatches) > 1 else rows
    by_state = last_rows.values_list("state", "reason").annotate(count=Count("pk")).order_by()
    states = {state.value: 0 for state in MessageState}
    reasons: dict[str, int] = {}
    for state, reason, count in by_state:
        states[state] += count
        if reason:
            reasons[reason] = reasons.get(reason, 0) + count
    of_dispatch: dict[int, dict[str, int]] = {}
    for dispatch_id, state, count in (
        rows.values_list("dispatch_id", "state").annotate(count=Count("pk")).order_by()
    ):
        of_dispatch.setdefault(dispatch_id, {})[state] = count
    unknown = rows.filter(state=MessageState.UNKNOWN).order_by("pk").values_list("pk", flat=True)
    sums = rows.aggregate(
        total=Sum("cost_amount"),
        open=Sum("cost_amount", filter=Q(state=MessageState.UNKNOWN)),
        sent=Count("customer", distinct=True, filter=Q(sent_at__isnull=False)),
    )
    return CampaignProgress(
        slug=campaign.slug,
        status=campaign.status,
        audience=sum(states.values()),
        states=states,
        reasons=dict(sorted(reasons.items(), key=lambda item: -item[1])),
        unknown_message_ids=tuple(unknown[:LISTED_UNKNOWN]),
        unknown_count=sum(found.get(MessageState.UNKNOWN, 0) for found in of_dispatch.values()),
        cost_amount=f"{sums['total'] or 0:.2f}",
        unknown_cost_amount=f"{sums['open'] or 0:.2f}",
        sent_count=sums["sent"],
        dispatches=tuple(
            DispatchProgress(
                id=item.pk,
                step=item.position,
                channel=item.channel.slug if item.channel else item.channel_kind,
                status=item.status,
                hold_reason=item.hold_reason,
                audience=item.audience_count,
                states=of_dispatch.get(item.pk, {}),
                due_at=item.due_at,
                completed_at=item.completed_at,
            )
            for item in dispatches
        ),
    )
