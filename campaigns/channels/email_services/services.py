"""What differs from service to service: data, to change freely.

Sources: the error tables of https://postmarkapp.com/developer/api/overview#error-codes,
https://developers.brevo.com/docs/how-it-works#error-codes,
https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses and
https://documentation.mailgun.com/docs/mailgun/api-reference/mg-auth; event names as in the manuals
of each service's event webhook.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """How one service is spoken to and understood.

    Attributes:
        backend: Class of django-anymail that writes its requests.
        tracking: Class of django-anymail that reads its reports.
        key_option: What that library calls the key of the account.
        report_option: What it calls the secret of reports.
        is_signed: Reports are signed; otherwise they bear a user and password (`user:password`).
        codes: Codes of its answers about an account or its load, in our words.
        soft: Where a report's own field has one of these values, a bounce is not for good.
    """

    backend: str
    tracking: str
    key_option: str
    report_option: str
    is_signed: bool
    codes: Mapping[str, str] = field(default_factory=dict)
    soft: Mapping[str, frozenset[str]] = field(default_factory=dict)


SERVICES: Final[Mapping[str, ServiceSpec]] = {
    "sendgrid": ServiceSpec(
        backend="anymail.backends.sendgrid.EmailBackend",
        tracking="anymail.webhooks.sendgrid.SendGridTrackingWebhookView",
        key_option="api_key",
        report_option="tracking_webhook_verification_key",
        is_signed=True,
        # A bounce that is `blocked` is about the sender's address or the content.
        soft={"type": frozenset({"blocked", "expired"})},
    ),
    "mailgun": ServiceSpec(
        backend="anymail.backends.mailgun.EmailBackend",
        tracking="anymail.webhooks.mailgun.MailgunTrackingWebhookView",
        key_option="api_key",
        report_option="webhook_signing_key",
        is_signed=True,
    ),
    "postmark": ServiceSpec(
        backend="anymail.backends.postmark.EmailBackend",
        tracking="anymail.webhooks.postmark.PostmarkTrackingWebhookView",
        key_option="server_token",
        report_option="webhook_secret",
        is_signed=False,
        codes={
            "10": "unauthorized",
            "100": "busy",
            "400": "signature_not_approved",
            "401": "signature_not_approved",
            "405": "insufficient_balance",
            "412": "account_suspended",
            "413": "account_suspended",
            "429": "rate_limited",
        },
        soft={"Type": frozenset({"SoftBounce"})},
    ),
    "brevo": ServiceSpec(
        backend="anymail.backends.brevo.EmailBackend",
        tracking="anymail.webhooks.brevo.BrevoTrackingWebhookView",
        key_option="api_key",
        report_option="webhook_secret",
        is_signed=False,
        codes={
            "unauthorized": "unauthorized",
            "not_enough_credits": "insufficient_balance",
            "permission_denied": "forbidden",
            "account_under_validation": "account_suspended",
            "too_many_requests": "rate_limited",
        },
        soft={"event": frozenset({"soft_bounce"})},
    ),
}
