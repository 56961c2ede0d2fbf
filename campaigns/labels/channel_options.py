"""What the options of channels' backends are for, in the words of their form."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

_CONNECTIONS = _("Most connections that each process keeps open.")
_TIMEOUT = _("Seconds to wait for an answer; then the fate of a message is unknown.")
_CONNECT_TIMEOUT = _("Seconds to wait for a connection; then nothing has been sent.")
_REPORTS = _("Secret that proves delivery reports. Empty: the secret of the account.")
_REMEMBERS = _("The provider answers a repeated key without sending again. A test has to show it.")

# By the name of an option; what a backend means by it alone stands under its own name.
_OPTIONS: Final[Mapping[str, Any]] = {
    "connections": _CONNECTIONS,
    "timeout_seconds": _TIMEOUT,
    "connect_timeout_seconds": _CONNECT_TIMEOUT,
    "webhook_secret": _REPORTS,
    "supports_idempotency": _REMEMBERS,
    "secret": _("Comes from the environment variable above; it does not belong here."),
    "host": _("Host name of the relay."),
    "port": _("Port of the relay."),
    "security": _("none, starttls, or tls from the first byte."),
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
    "email_service.service": _("sendgrid, mailgun, postmark or brevo."),
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


def option(backend: str, name: str) -> str:
    """Return what an option of a backend is for; empty for one that a setting brought along."""
    return str(_OPTIONS.get(f"{backend}.{name}", _OPTIONS.get(name, "")))
