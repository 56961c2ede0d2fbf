"""Signed HTTP bodies in the form of Standard Webhooks, and the JSON form of delivery reports.

The signature is HMAC-SHA256 over `id.timestamp.body`, sent as `webhook-id`, `webhook-timestamp` and
`webhook-signature: v1,<base64>` (several, separated by blanks, while a secret is being rotated).
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from campaigns.channels.base import WebhookRequest
from campaigns.channels.errors import WebhookRefused
from campaigns.domain.receipts.report import DeliveryEvent
from campaigns.domain.receipts.report_reading import ReportsUnreadable, read_reports

TOLERANCE_SECONDS = 300
MAX_BODY_BYTES = 1_048_576

_BASE64_MARK = "whsec_"


def sign(*, secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers that prove `body`.

    Args:
        secret: Shared secret; with the prefix `whsec_` the rest is base64, otherwise plain text.
        message_id: Unique id of this delivery; the receiver drops repetitions.
        at: Time of signing, aware.
        body: The bytes as they go over the wire.
    """
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": _signature(secret, message_id, timestamp, body),
    }


def verify(request: WebhookRequest, *, secrets: Sequence[str]) -> str:
    """Check a signed request and return its id.

    Args:
        request: Headers in lower case and the untouched body.
        secrets: Every secret that is valid now; empty ones never match.

    Raises:
        WebhookRefused: A header is missing, the time is more than 300 seconds away, the body is too
            large, or no signature fits. The comparison takes constant time.
    """
    message_id = request.headers.get("webhook-id", "")
    given = request.headers.get("webhook-signature", "")
    timestamp = _timestamp(request.headers.get("webhook-timestamp", ""))
    if not message_id or not given:
        raise WebhookRefused("a signature header is missing")
    if abs(request.received_at.timestamp() - timestamp) > TOLERANCE_SECONDS:
        raise WebhookRefused("the time stamp is outside the tolerance")
    if len(request.body) > MAX_BODY_BYTES:
        raise WebhookRefused("the body is too large")
    expected = [
        _signature(secret, message_id, timestamp, request.body).encode()
        for secret in secrets
        if secret
    ]
    candidates = [candidate.encode() for candidate in given.split()]
    matches = [hmac.compare_digest(a, b) for a in expected for b in candidates]
    if not any(matches):
        raise WebhookRefused("the signature does not fit")
    return message_id


def read_events(request: WebhookRequest) -> list[DeliveryEvent]:
    """Read the gateway form `{"events": [{"id", "kind", "occurred_at", ...}]}`.

    A report that cannot be read comes back as one of the kind `unreadable`, with its reason.

    Raises:
        WebhookRefused: The body is no JSON of that form.
    """
    try:
        return read_reports(request.body, received_at=request.received_at)
    except ReportsUnreadable as err:
        raise WebhookRefused("the body is not readable") from err


def _timestamp(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise WebhookRefused("the time stamp is missing or not a number")
    return int(text)


def _signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    if not secret.startswith(_BASE64_MARK):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_BASE64_MARK), validate=True)
    except binascii.Error:
        return secret.encode()
