"""What the SMS gateway takes, and what it may be told to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TakenSms:
    """A message as the gateway took it."""

    key: str
    message_id: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    template_id: str = ""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ForcedAnswer:
    """An answer that the gateway gives instead of reading the request."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
