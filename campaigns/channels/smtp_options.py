"""Options of an SMTP relay."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """Options of an SMTP relay.

    Attributes:
        security: `none`, `starttls`, or `tls` from the first byte.
        connections: Most connections that each process keeps open. A relay that answers slowly
            wants more: messages a second are about connections divided by its answering time.
        window: Most messages under way on one connection where the relay offers CHUNKING. So many
            are of unknown fate when it is cut, and one where it does not.
        max_messages_per_connection: Reconnect after so many; 0 for never.
        idle_seconds: Close a connection that has been idle so long.
        batch_size: Advice to callers, see `Limits`.
        secret: The channel's sealed secret: password where a user name is given without one,
            and secret of delivery reports where `webhook_secret` is empty.
        webhook_secret: Standard Webhooks secret of delivery reports.
    """

    host: str = "127.0.0.1"
    port: int = 25
    security: Literal["none", "starttls", "tls"] = "none"
    verify_certificate: bool = True
    username: str = ""
    password: str = field(default="", repr=False)
    helo_name: str = "localhost"
    connections: int = 8
    window: int = 2
    use_pipelining: bool = True
    use_chunking: bool = True
    max_messages_per_connection: int = 0
    timeout_seconds: float = 60.0
    connect_timeout_seconds: float = 10.0
    idle_seconds: float = 60.0
    batch_size: int = 50
    secret: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse values that could never work."""
        if not 1 <= self.connections <= 500 or not 1 <= self.window <= 100:
            raise ValueError("connections must be 1 to 500 and window 1 to 100")
        if not 0 < self.port < 65536 or self.timeout_seconds <= 0 or not self.batch_size > 0:
            raise ValueError("port, timeout_seconds or batch_size is out of range")
