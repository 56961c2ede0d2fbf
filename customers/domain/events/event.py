"""Event names and the parsed form of one reported event."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from customers.domain.events.survey import is_answer
from customers.domain.values.dates import parse_moment
from customers.domain.values.words import clean
from loancrm.kernel.identifiers import bounded_id


class EventName(StrEnum):
    """The events that loancrm itself understands; files may bring others."""

    LEAD_CAPTURED = "lead_captured"
    APPLICATION_STARTED = "application_started"
    APPLICATION_SUBMITTED = "application_submitted"
    APPLICATION_APPROVED = "application_approved"
    APPLICATION_DECLINED = "application_declined"
    LOAN_DISBURSED = "loan_disbursed"
    REPAYMENT_MADE = "repayment_made"
    LOAN_SETTLED = "loan_settled"
    PURCHASE_MADE = "purchase_made"
    ACCOUNT_DEBITED = "account_debited"
    ACCOUNT_CREDITED = "account_credited"
    APP_LOGIN = "app_login"
    PAGE_VIEWED = "page_viewed"
    CALL_MADE = "call_made"
    MESSAGE_SENT = "message_sent"
    MESSAGE_DELIVERED = "message_delivered"
    MESSAGE_BOUNCED = "message_bounced"
    LINK_CLICKED = "link_clicked"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    PREFERENCES_CHANGED = "preferences_changed"
    COMPLAINT_MADE = "complaint_made"
    SURVEY_ANSWERED = "survey_answered"
    CONVERSION_REPORTED = "conversion_reported"
    STAGE_ENTERED = "stage_entered"
    STAGE_LEFT = "stage_left"
    SEGMENT_ENTERED = "segment_entered"
    SEGMENT_LEFT = "segment_left"


class EventProblem(StrEnum):
    """Why a reported event is not taken in."""

    EVENT_MISSING = "event_missing"
    EVENT_NAME_INVALID = "event_name_invalid"
    TIME_MISSING = "time_missing"
    TIME_INVALID = "time_invalid"
    TIME_IN_FUTURE = "time_in_future"
    AMOUNT_INVALID = "amount_invalid"
    PROPERTIES_INVALID = "properties_invalid"
    SURVEY_INVALID = "survey_invalid"
    PERSON_MISSING = "person_missing"
    PERSON_UNKNOWN = "person_unknown"


# Subject of a debit that pays an instalment.
LOAN_PAYMENT = "loan_payment"
NAME_LENGTH = 60
CHANNEL_LENGTH = 40
SUBJECT_LENGTH = 100
# The usual form, which the standard library reads fast; every other one is read as days are.
_ISO_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)
_NAME = re.compile(r"[a-z0-9_-]+")
_FUTURE_SECONDS = 300
_YEARS = range(2, 9999)
_AMOUNT_LIMIT = Decimal(10) ** 12


class EventError(ValueError):
    """One reported event cannot be taken in; carries the problem and nothing of the content."""

    def __init__(self, problem: EventProblem) -> None:
        """Keep the problem."""
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """One event as a source reports it, checked and in normal form.

    Attributes:
        external_id: The person's id at the source; empty when `customer_id` is given.
        dedup_key: Unique within the source; the same key twice is the same event.
        subject: Product code, page, campaign slug or loan number the event is about.
        properties: For display only; never read by rules or metrics.
    """

    source: str
    external_id: str
    name: str
    occurred_at: datetime
    dedup_key: str
    customer_id: int | None = None
    amount: Decimal | None = None
    channel: str = ""
    subject: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


def derived_key(*, external_id: str, name: str, occurred_at: datetime, amount: str) -> str:
    """Return the dedup key of an event whose source gives none: a digest of what it says."""
    text = json.dumps([external_id, name, occurred_at.astimezone(UTC).isoformat(), amount])
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def parse_event(
    row: Mapping[str, Any], *, source: str, now: datetime, zone: tzinfo
) -> ReportedEvent:
    """Return one event from a row of a file or of an API call.

    Args:
        row: external_id, event, occurred_at and, optional, event_id, amount, channel, subject,
            properties (an object, or its JSON text).
        source: Name of the system that reports.
        now: A time more than five minutes after this is refused.
        zone: Zone of times that carry none.

    Raises:
        EventError: A value is missing or invalid.
    """
    external_id = clean(_text(row, "external_id", 0))
    if not external_id:
        raise EventError(EventProblem.PERSON_MISSING)
    name = _text(row, "event", 0).lower()
    if not name:
        raise EventError(EventProblem.EVENT_MISSING)
    if len(name) > NAME_LENGTH or not _NAME.fullmatch(name):
        raise EventError(EventProblem.EVENT_NAME_INVALID)
    occurred_at = parse_time(_text(row, "occurred_at", 0), zone=zone)
    if (occurred_at - now).total_seconds() > _FUTURE_SECONDS:
        raise EventError(EventProblem.TIME_IN_FUTURE)
    amount_text = _text(row, "amount", 0)
    subject = _text(row, "subject", SUBJECT_LENGTH)
    properties = _properties(row.get("properties"))
    if name == EventName.SURVEY_ANSWERED:
        subject, amount_text = _answer(subject, amount_text, properties)
    key = bounded_id(_text(row, "event_id", 0))
    return ReportedEvent(
        source=source,
        external_id=external_id,
        name=name,
        occurred_at=occurred_at,
        dedup_key=key
        or derived_key(
            external_id=external_id, name=name, occurred_at=occurred_at, amount=amount_text
        ),
        amount=parse_amount(amount_text),
        channel=_text(row, "channel", CHANNEL_LENGTH),
        subject=subject,
        properties=properties,
    )


def _answer(subject: str, amount: str, properties: Mapping[str, Any]) -> tuple[str, str]:
    """Return the question and the score of an answer, which stand where rules can read them.

    The question is the subject or the property `kind`, the score the amount or the property
    `score`.
    """
    kind = (subject or str(properties.get("kind", ""))).strip().lower()
    text = amount or str(properties.get("score", "")).strip()
    score = parse_amount(text)
    if not is_answer(kind, None if score is None else float(score)):
        raise EventError(EventProblem.SURVEY_INVALID)
    return kind, text


def parse_time(text: str, *, zone: tzinfo) -> datetime:
    """Return an aware UTC time; a time without offset, and a bare day, are in `zone`.

    Raises:
        EventError: The text is empty or not a time.
    """
    if not text:
        raise EventError(EventProblem.TIME_MISSING)
    try:
        if _ISO_TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        else:
            aware = parse_moment(text, zone=zone)
        instant = aware.astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise EventError(EventProblem.TIME_INVALID) from err
    # At either end of the calendar there are zones that cannot show the time.
    if instant.year not in _YEARS:
        raise EventError(EventProblem.TIME_INVALID)
    return instant


def parse_amount(text: str) -> Decimal | None:
    """Return an amount in CNY rounded to the cent, or None for empty text.

    Raises:
        EventError: The text is not a finite number below 10^12.
    """
    if not text:
        return None
    try:
        amount = Decimal(text)
        if amount.is_finite() and abs(amount) < _AMOUNT_LIMIT:
            return amount.quantize(Decimal("0.01"))
    except InvalidOperation as err:
        raise EventError(EventProblem.AMOUNT_INVALID) from err
    raise EventError(EventProblem.AMOUNT_INVALID)


def _text(row: Mapping[str, Any], key: str, limit: int) -> str:
    value = row.get(key)
    text = "" if value is None else str(value).strip()
    return text[:limit] if limit else text


def _properties(value: Any) -> Mapping[str, Any]:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_no_number)
        except (ValueError, RecursionError) as err:
            raise EventError(EventProblem.PROPERTIES_INVALID) from err
    if not isinstance(value, Mapping) or not _is_storable(value):
        raise EventError(EventProblem.PROPERTIES_INVALID)
    return dict(value)


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _is_storable(value: Any) -> bool:
    """Return whether every database takes a value as JSON; none keeps NUL, and some no infinity."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        return False
    return "\\u0000" not in text
