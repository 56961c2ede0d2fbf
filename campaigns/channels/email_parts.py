"""A finished e-mail taken apart again, for providers that want its parts instead of its bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from campaigns.channels.base import EmailPayload

# Said by fields of their own, or written anew by whoever puts the parts together.
_OWN = frozenset(
    {
        *("from", "to", "subject", "date", "mime-version", "content-type"),
        *("content-transfer-encoding", "message-id"),
    }
)


@dataclass(frozen=True, slots=True)
class EmailParts:
    """What an e-mail says.

    Attributes:
        sender: The header From, with the name.
        headers: Whatever else it has, such as List-Unsubscribe.
    """

    sender: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def parts_of(payload: EmailPayload) -> EmailParts:
    """Return the parts of a finished e-mail."""
    message = message_from_bytes(payload.raw, _class=EmailMessage, policy=policy.default)
    return EmailParts(
        sender=str(message["From"] or payload.sender),
        subject=str(message["Subject"] or ""),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        headers={
            name: str(value) for name, value in message.items() if name.casefold() not in _OWN
        },
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
