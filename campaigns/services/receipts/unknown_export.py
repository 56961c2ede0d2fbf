"""The list of messages of unknown fate for the provider, as a file without names."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from campaigns.models import Message
from campaigns.selectors.receipts import unknown_messages, unknown_traces
from campaigns.selectors.receipts.unknown_messages import Filters
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

COLUMNS = ("key", "provider_message_id", "address", "handed_over_at", "channel", "campaign")
MOST_ROWS = 100_000
_PAGE = 500


def export_unknown(*, actor: Actor, filters: Filters, now: datetime) -> Iterator[Sequence[str]]:
    """Yield the head and a row a message, addresses masked; the look is in the audit trail first.

    Raises:
        PermissionRefused: The actor may not launch campaigns, and so decides about none of them.
    """
    act = acting(actor, "campaigns.launch_campaign", on=filters.campaign, now=now)
    ids = list(unknown_messages.found(filters).values_list("pk", flat=True)[:MOST_ROWS])
    with act:
        messages = filters.campaign or ("messages", "unknown")
        act.record("messages.unknown_export", on=messages, facts={"count": len(ids)})
    return _rows(ids)


def _rows(ids: Sequence[int]) -> Iterator[Sequence[str]]:
    yield COLUMNS
    for start in range(0, len(ids), _PAGE):
        rows = list(
            Message.objects.filter(pk__in=ids[start : start + _PAGE])
            .select_related("channel", "dispatch__channel")
            .order_by("pk")
        )
        traces = unknown_traces.of_messages(rows)
        for row in rows:
            trace, channel = traces[row.pk], row.channel or row.dispatch.channel
            at = trace.handed_over_at
            yield (
                trace.key,
                trace.provider_message_id,
                trace.address,
                at.astimezone(clock.company_zone()).isoformat() if at else "",
                channel.slug if channel else row.dispatch.channel_kind,
                row.dispatch.subject,
            )
