"""What the options of channels' backends are called, and what they are for."""

from collections.abc import Mapping
from typing import Any, Final

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
    "service": _("E-mail service"),
    "api_url": _("Address of the service's API"),
    "sender_domain": _("Sending domain"),
    "message_stream": _("Message stream"),
    "show_text": _("Print the text too (made-up data only)"),
}
SECURITY: Mapping[str, str | Promise] = {
    "none": _("none"),
    "starttls": _("STARTTLS after connecting"),
    "tls": _("TLS from the start"),
}
_CONNECTIONS = _("Most connections that each process keeps open.")
_TIMEOUT = _("Seconds to wait for an answer; then the fate of a message is unknown.")
_CONNECT_TIMEOUT = _("Seconds to wait for a connection; then nothing has been sent.")
_REPORTS = _("Secret that proves delivery reports. Empty: the secret of the account.")
_REMEMBERS = _("The provider answers a repeated key without sending again. A test has to show it.")

# By the name of an option; what a backend means by it alone stands under its own name.
_HINTS: Final[Mapping[str, Any]] = {
    "connections": _CONNECTIONS,
    "timeout_seconds": _TIMEOUT,
    "connect_timeout_seconds": _CONNECT_TIMEOUT,
    "webhook_secret": _REPORTS,
    "supports_idempotency": _REMEMBERS,
    "secret": _("Comes from the environment variable above; it does not belong here."),
    "host": _("Host name of the relay."),
    "port": _("Port of the relay."),
    "security": _("How the connection to the relay is encrypted."),
    "verify_certificate": _("Refuse a relay whose certificate does not fit."),
    "username": _("Name to log in with; empty for none."),
    "password": _("Better left out: the secret of the channel serves as password."),
    "helo_name": _("Name that this server introduces itself by."),
    "window": _("Most messages under way on one connection; so many are in doubt if it is cut."),
    "use_pipelining": _("Use PIPELINING where the relay offers it."),
    "use_chunking": _("Use CHUNKING where the relay offers it."),
    "max_messages_per_connection": _("Connect anew after so many messages; 0 for never."),
    "idle_seconds": _("Close a connection that has been idle so long."),
    "batch_size": _("Messages that are handed over together."),
    "url": _("Where messages are posted."),
    "status_url": _("Where the gateway tells what became of messages; empty where it does not."),
    "messages_per_request": _("Most messages in one request."),
    "require_signature": _("Refuse texts that do not begin with a signature in 【】."),
    "show_text": _("Write texts to the log as well; for made-up people only."),
    "webhook.url": _(
        "The lender's endpoint, which begins with https://. It has to be public, or its host "
        "allowed in the settings of the server."
    ),
    "email_service.service": _("Who takes the mail."),
    "email_service.webhook_secret": _(
        "SendGrid: verification key of the event webhook. Mailgun: signing key of webhooks. "
        "Postmark and Brevo: user:password in the address of the webhook. Empty: no reports."
    ),
    "email_service.api_url": _(
        "Empty for the service's usual address; European accounts of Mailgun need "
        "https://api.eu.mailgun.net/v3."
    ),
    "email_service.sender_domain": _(
        "Mailgun only: the domain that sends. Empty: that of the sender."
    ),
    "email_service.message_stream": _("Postmark only: the stream of messages."),
}

SERVICES: Mapping[str, str | Promise] = {
    "sendgrid": "SendGrid",
    "mailgun": "Mailgun",
    "postmark": "Postmark",
    "brevo": "Brevo",
}
# Of options that are one of several words: what each is called.
WORDS: Mapping[str, Mapping[str, str | Promise]] = {"security": SECURITY, "service": SERVICES}


def option(name: str) -> str:
    """Return what an option is called; its own name where it belongs to somebody's own backend."""
    return str(OPTIONS.get(name, name))


def hint(backend: str, name: str) -> str:
    """Return what an option of a backend is for; empty for one that a setting brought along."""
    return str(_HINTS.get(f"{backend}.{name}", _HINTS.get(name, "")))
