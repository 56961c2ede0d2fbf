"""What the unsubscribe page shows about a message."""

from dataclasses import dataclass

from campaigns.models import Message


@dataclass(frozen=True, slots=True)
class UnsubscribeSubject:
    """Which channel would be stopped, and in which language to say so."""

    customer_id: int
    channel: str
    language: str


def subject_of(message_id: int) -> UnsubscribeSubject | None:
    """Return what the link in a message is about; None when there is no such message."""
    row = (
        Message.objects.filter(pk=message_id)
        .values_list("customer_id", "dispatch__channel_kind", "customer__language")
        .first()
    )
    return UnsubscribeSubject(*row) if row is not None else None
