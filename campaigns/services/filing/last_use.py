"""When a filed signature was used last: providers delete those that nobody uses."""

from datetime import datetime, timedelta

from django.db.models import Q

from campaigns.models import Chunk, Filing, Message
from campaigns.selectors.filing.standing import FiledNow

# Days count; a row that all workers write after every chunk would make them wait for each other.
EXACT_TO = timedelta(hours=1)


def note(*, chunk: Chunk, filed: FiledNow, now: datetime) -> None:
    """Note that messages of a chunk went out under a signature, while it is locked."""
    if filed.signature_id is None:
        return
    is_old = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - EXACT_TO)
    rows = Filing.objects.filter(is_old, pk=filed.signature_id)
    sent = Message.objects.filter(
        dispatch_id=chunk.dispatch_id,
        pk__gte=chunk.first_message_id,
        pk__lte=chunk.last_message_id,
        sent_at__gte=now - EXACT_TO,
    )
    if rows.exists() and sent.exists():
        rows.update(last_used_at=now)
