"""The JSON form of delivery reports, read report by report: one that is odd takes no other along.

What can be put right without changing its meaning is put right: an id that no column holds becomes
a shorter one, a time that cannot be true becomes the time of arrival. Only a report of which nobody
could say what it means is set aside, with the reason.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from campaigns.domain.receipts.replies import ReplyMeaning, meaning_of
from campaigns.domain.receipts.report import (
    DeliveryEvent,
    DeliveryKind,
    ReceiptProblem,
    storable_key,
)
from loancrm.kernel.identifiers import bounded_id, storable

# Gateways with a clock that was never set report from 1970 or from the far future.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MOST_AHEAD = timedelta(days=1)

_NO_LETTER = re.compile(r"[\W_]+")
# What people say goes by many names; a refusal must not be lost for that of its report.
_REPLIES = (
    "reply replies mo inbound inboundmessage inboundsms incoming upstream uplink received "
    "receivedmessage messagereceived moreceived response"
)
_COMPLAINTS = (
    "complaint complain spam spamcomplaint spamreport markedasspam abuse abusereport fbl "
    "feedbackloop junk"
)
_OPT_OUTS = (
    "unsubscribed unsubscribe unsub optout optedout optouts stop listunsubscribe consentwithdrawn "
    "td 退订"
)
_KINDS = (
    {_NO_LETTER.sub("", kind.value): kind for kind in DeliveryKind}
    | dict.fromkeys(_REPLIES.split(), DeliveryKind.REPLIED)
    | dict.fromkeys(_COMPLAINTS.split(), DeliveryKind.COMPLAINED)
)


class ReportsUnreadable(ValueError):
    """A body is no JSON object with a list of reports."""


def read_reports(body: bytes, *, received_at: datetime) -> list[DeliveryEvent]:
    """Read `{"events": [{"id", "kind", "occurred_at", ...}]}`; unknown fields are left alone.

    Raises:
        ReportsUnreadable: The body is not of that form.
    """
    try:
        # Numbers stay texts: an id may be written as one, and no number is too long.
        content = json.loads(
            body.decode("utf-8", "replace"), parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError) as error:
        raise ReportsUnreadable from error
    reports = content.get("events") if isinstance(content, Mapping) else None
    if not isinstance(reports, list):
        raise ReportsUnreadable
    return [_read(report, received_at) for report in reports]


def _read(report: Any, received_at: datetime) -> DeliveryEvent:
    if not isinstance(report, Mapping):
        return _unreadable(report, "", ReceiptProblem.REPORT_UNREADABLE, received_at)
    event_id = bounded_id(_text(report, "id").strip())
    text = _text(report, "text")
    kind, meaning = _kind(_text(report, "kind"), text)
    if kind is DeliveryKind.UNREADABLE:
        return _unreadable(report, event_id, ReceiptProblem.KIND_UNKNOWN, received_at)
    return DeliveryEvent(
        provider_event_id=event_id or _digest(report),
        kind=kind,
        provider_message_id=bounded_id(_text(report, "message_id").strip()),
        message_key=storable_key(_text(report, "key")),
        occurred_at=_time(_text(report, "occurred_at"), received_at),
        detail=storable(_text(report, "detail"))[:200],
        text=text,
        address=storable(_text(report, "address"))[:320],
        meaning=meaning,
    )


def _kind(name: str, text: str) -> tuple[DeliveryKind, ReplyMeaning | None]:
    """Return what happened, and what was meant where the name of the kind says that."""
    name = _NO_LETTER.sub("", name.casefold())
    if name in _OPT_OUTS.split():
        return DeliveryKind.REPLIED, ReplyMeaning.OPT_OUT
    kind = _KINDS.get(name, DeliveryKind.UNREADABLE)
    if kind is DeliveryKind.UNREADABLE and meaning_of(text) is ReplyMeaning.OPT_OUT:
        # Whatever the kind is called: nothing but a refusal is what a person wrote.
        return DeliveryKind.REPLIED, None
    return kind, None


def _unreadable(
    report: Any, event_id: str, problem: ReceiptProblem, received_at: datetime
) -> DeliveryEvent:
    return DeliveryEvent(
        provider_event_id=event_id or _digest(report),
        kind=DeliveryKind.UNREADABLE,
        provider_message_id=bounded_id(_text(report, "message_id").strip()),
        message_key=storable_key(_text(report, "key")),
        occurred_at=received_at,
        text=_text(report, "text"),
        address=storable(_text(report, "address"))[:320],
        problem=problem,
    )


def _text(report: Any, name: str) -> str:
    value = report.get(name) if isinstance(report, Mapping) else None
    return value if isinstance(value, str) else ""


def _digest(report: Any) -> str:
    """Return an id for a report that has none: the same report gets the same one."""
    written = json.dumps(report, sort_keys=True)
    return f"~{hashlib.sha256(written.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _time(text: str, received_at: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else received_at
    except (ValueError, OverflowError):
        return received_at
    return moment if _EARLIEST <= moment <= received_at + _MOST_AHEAD else received_at
