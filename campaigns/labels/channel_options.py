"""What the options of the ways to a provider are called."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OPTIONS: Mapping[str, str | Promise] = {
    "host": _("Server"),
    "port": _("Port"),
    "security": _("Encryption"),
    "verify_certificate": _("Check the server's certificate"),
    "username": _("User name"),
    "helo_name": _("Own host name"),
    "connections": _("Connections of each process"),
    "window": _("Messages under way on one connection"),
    "use_pipelining": _("Send commands without waiting (PIPELINING)"),
    "use_chunking": _("Send in pieces (CHUNKING)"),
    "max_messages_per_connection": _("New connection after so many messages (0: never)"),
    "timeout_seconds": _("Wait for an answer, seconds"),
    "connect_timeout_seconds": _("Wait for a connection, seconds"),
    "idle_seconds": _("Close an idle connection after, seconds"),
    "batch_size": _("Messages handed over at once"),
    "url": _("Address of the gateway"),
    "status_url": _("Address for asking what became of a message"),
    "messages_per_request": _("Messages in one request"),
    "supports_idempotency": _("The provider remembers keys"),
    "require_signature": _("Refuse texts without a signature"),
    "show_text": _("Print the text too (made-up data only)"),
}
SECURITY: Mapping[str, str | Promise] = {
    "none": _("none"),
    "starttls": _("STARTTLS after connecting"),
    "tls": _("TLS from the start"),
}


def option(name: str) -> str:
    """Return what an option is called; its own name where it belongs to somebody's own backend."""
    return str(OPTIONS.get(name, name))
