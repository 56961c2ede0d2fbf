"""Reports of e-mail services: who sent them is proven first, then they become reports of ours."""

import json
import warnings
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import EventType, RejectReason
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.utils.module_loading import import_string

from campaigns.channels import signatures
from campaigns.channels.base import WebhookRequest
from campaigns.channels.email_services.services import ServiceSpec
from campaigns.channels.errors import ChannelMisconfigured, WebhookRefused
from campaigns.channels.smtp_batches import without_addresses
from campaigns.domain.receipts.refusals import Blame, blame_of
from campaigns.domain.receipts.report import DeliveryEvent, DeliveryKind
from campaigns.domain.receipts.report_reading import read_reports

# What a service calls our idempotency key in its reports.
KEY_NAME: Final = "loancrm_key"
# Kinds of reports that settle nothing (queued, sent, deferred, auto-replies) are left out.
_KINDS: Final = {
    EventType.DELIVERED: DeliveryKind.DELIVERED.value,
    EventType.BOUNCED: DeliveryKind.BOUNCED_HARD.value,
    EventType.REJECTED: DeliveryKind.FAILED.value,
    EventType.FAILED: DeliveryKind.FAILED.value,
    EventType.COMPLAINED: DeliveryKind.COMPLAINED.value,
    # The reader of reports takes this word for a refusal.
    EventType.UNSUBSCRIBED: "unsubscribed",
    EventType.OPENED: DeliveryKind.OPENED.value,
    EventType.CLICKED: DeliveryKind.CLICKED.value,
}
# The service did not even try: the address is known to be none.
_DEAD_REASONS: Final = frozenset({RejectReason.INVALID, RejectReason.BOUNCED})
_UNPROVEN: Final = (AnymailWebhookValidationFailure, UnicodeError)
_UNREADABLE: Final = (
    *(AnymailError, ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError),
    RecursionError,
)


def read(spec: ServiceSpec, request: WebhookRequest, *, secret: str) -> list[DeliveryEvent]:
    """Prove a report and return what it says.

    Raises:
        ChannelMisconfigured: The secret is none of this service.
        WebhookRefused: It is not proven, too old, or cannot be read.
    """
    if not secret:
        raise WebhookRefused("the channel has no secret for reports")
    if len(request.body) > signatures.MAX_BODY_BYTES:
        raise WebhookRefused("the body is too large")
    view = _view(spec, secret)
    received = _as_django(request)
    try:
        view.run_validators(received)
    except _UNPROVEN as err:
        raise WebhookRefused("the signature does not fit") from err
    except _UNREADABLE as err:
        raise WebhookRefused("the body is not readable") from err
    if spec.is_signed:
        _refuse_old(request)
    try:
        found = view.parse_events(received)
        reports = [_report(spec, event) for event in found]
    except _UNREADABLE as err:
        raise WebhookRefused("the body is not readable") from err
    if not reports:
        raise WebhookRefused("the body is not readable")
    body = json.dumps({"events": [report for report in reports if report["kind"]]})
    return read_reports(body.encode(), received_at=request.received_at)


def _view(spec: ServiceSpec, secret: str) -> Any:
    """Return what reads the reports of a service."""
    try:
        with warnings.catch_warnings():
            # The library says of services that it no longer tests them itself; our tests do.
            warnings.simplefilter("ignore")
            return import_string(spec.tracking)(**{spec.report_option: secret})
    except (AnymailError, ValueError) as err:
        raise ChannelMisconfigured("webhook_secret is no key of this service") from err


def _as_django(request: WebhookRequest) -> HttpRequest:
    """Return a report as the library expects it, with its headers and its untouched body."""
    named = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in request.headers.items()}
    return WSGIRequest(
        {
            **named,
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "CONTENT_TYPE": request.headers.get("content-type", "application/json"),
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.input": BytesIO(request.body),
        }
    )


def _refuse_old(request: WebhookRequest) -> None:
    """Refuse a report that was signed long ago: somebody may be sending it once more."""
    stamp = request.headers.get("x-twilio-email-event-webhook-timestamp", "")
    try:
        if not stamp:
            stamp = json.loads(request.body)["signature"]["timestamp"]
        signed_at = float(stamp)
    except (ValueError, KeyError, TypeError) as err:
        raise WebhookRefused("the time stamp is missing or not a number") from err
    age = request.received_at.timestamp() - signed_at
    if not abs(age) <= signatures.TOLERANCE_SECONDS:
        raise WebhookRefused("the time stamp is outside the tolerance")


def _report(spec: ServiceSpec, event: Any) -> dict[str, str]:
    """Return one event in the form of gateways; without a kind where it settles nothing."""
    words = without_addresses(str(event.mta_response or event.description or ""))
    at: datetime | None = event.timestamp
    return {
        "id": str(event.event_id or ""),
        "kind": _kind(spec, event, words),
        "message_id": str(event.message_id or ""),
        "key": str((event.metadata or {}).get(KEY_NAME, "")),
        "occurred_at": at.isoformat() if at is not None else "",
        "detail": words or str(event.reject_reason or ""),
    }


def _kind(spec: ServiceSpec, event: Any, words: str) -> str:
    kind = _KINDS.get(event.event_type, "")
    if event.event_type == EventType.REJECTED and event.reject_reason in _DEAD_REASONS:
        kind = DeliveryKind.BOUNCED_HARD.value
    if kind != DeliveryKind.BOUNCED_HARD.value:
        return kind
    said = event.esp_event
    is_soft = any(str(said.get(name, "")) in values for name, values in spec.soft.items())
    match blame_of(words[:3], words) if words[:3].isdigit() else blame_of("", words):
        case Blame.ACCOUNT:
            # About us, our sender or the content: nobody is taken off the lists for that.
            return DeliveryKind.FAILED.value
        case Blame.MAILBOX | Blame.BUSY:
            return DeliveryKind.BOUNCED_SOFT.value
        case _:
            return DeliveryKind.BOUNCED_SOFT.value if is_soft else kind
