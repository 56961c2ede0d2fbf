"""The values that came with single messages: sealed when they come, removed once nobody needs them.

A one-time code has no business in a database the day after.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Q

from campaigns.domain.sending.states import OPEN_STATES, MessageState
from campaigns.models import Chunk, MessageVariables
from campaigns.services.sending import chunks
from loancrm.kernel.security import crypto

KEPT_FOR = timedelta(days=1)
# A message of unknown fate may still be sent again.
_STILL_NEEDED = (*OPEN_STATES, MessageState.UNKNOWN)


def write_own_values(*, values: Mapping[int, Mapping[str, str]], now: datetime) -> None:
    """Store the values of messages, sealed row by row; in the transaction that plans them.

    Args:
        values: {message: {name: value}}.
    """
    vault = crypto.vault()
    rows = [MessageVariables(message_id=message_id, created_at=now) for message_id in values]
    for row in rows:
        text = json.dumps(dict(values[row.message_id]), ensure_ascii=False)
        row.values_sealed = vault.seal(MessageVariables.VALUES_COLUMN, row.row_key, text)
    MessageVariables.objects.bulk_create(rows)


def forget_closed(*, chunk: Chunk) -> None:
    """Remove the values of a chunk's closed messages; asks nothing where there were none."""
    if chunk.dispatch.variables:
        closed = chunks.in_chunk(chunk).exclude(state__in=_STILL_NEEDED)
        MessageVariables.objects.filter(message__in=closed.values("pk")).delete()


def forget_old(*, now: datetime) -> int:
    """Remove the values of closed messages and all that are a day old; return how many.

    A message that waits for longer is then skipped: what it was to say is not known any more.
    """
    # From the few values to their messages, never from all messages.
    is_over = ~Q(message__state__in=_STILL_NEEDED) | Q(created_at__lte=now - KEPT_FOR)
    ids = list(MessageVariables.objects.filter(is_over).values_list("pk", flat=True))
    removed, _by_model = MessageVariables.objects.filter(pk__in=ids).delete()
    return removed
