"""What became of the messages of a request, as its caller may know it."""

from collections.abc import Sequence
from uuid import UUID

from campaigns.models import MessageRequest, Partner, RequestedMessage


def own_request(*, partner: Partner, request_id: UUID) -> MessageRequest | None:
    """Return a request of this partner, or None; another partner's does not exist for it."""
    rows = MessageRequest.objects.filter(partner=partner, public_id=request_id)
    return rows.select_related("template").first()


def messages_of(request: MessageRequest) -> Sequence[RequestedMessage]:
    """Return the messages of a request in the order in which they were asked for."""
    return list(request.messages.select_related("message").order_by("position"))
