"""Reading the bounce messages that mail servers send back (RFC 3464) into delivery events.

A report counts only when it names one of our messages: by the returned headers' Message-ID, which
carries our key. Everything else could have been written by anybody.
"""

import email
import email.policy
import hashlib
import re
from datetime import UTC, datetime
from email.message import EmailMessage, Message

from campaigns.domain.receipts.refusals import Blame, blame_of
from campaigns.domain.receipts.report import DeliveryEvent, DeliveryKind, message_id_of

_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY = re.compile(r"\b([245]\d\d)\b")
_MESSAGE_ID = re.compile(r"^Message-ID:\s*<([^<>\s]{1,200})>", re.IGNORECASE | re.MULTILINE)
_MAX_BYTES = 1_048_576


def read_bounce(raw: bytes, *, received_at: datetime) -> tuple[DeliveryEvent, ...]:
    """Return one event for each recipient that a delivery status report is about.

    A report that only says "delayed" gives nothing: the message is still on its way. Whom a failure
    blames is decided as for a refusal at the door, by its status and its diagnostic text: a policy
    never blames the address.

    Args:
        raw: The whole mail.
        received_at: When it came in, aware.
    """
    if len(raw) > _MAX_BYTES:
        return ()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    key = _key_of(mail)
    status_part = next(
        (part for part in mail.walk() if part.get_content_type() == "message/delivery-status"), None
    )
    if status_part is None or message_id_of(key) is None:
        return ()
    events = []
    for number, block in enumerate(_blocks(status_part)):
        kind = _kind_of(block)
        if kind is None:
            continue
        code = _code_of(block)
        digest = hashlib.sha256(f"{key}\n{number}\n{code}\n{kind}".encode()).hexdigest()[:32]
        events.append(
            DeliveryEvent(
                provider_event_id=f"dsn-{digest}",
                kind=kind,
                provider_message_id="",
                message_key=key,
                occurred_at=received_at.astimezone(UTC),
                detail=code,
            )
        )
    return tuple(events)


def _blocks(part: Message) -> list[Message]:
    """Return the blocks about recipients; the first block is about the report itself."""
    payload = part.get_payload()
    blocks = payload if isinstance(payload, list) else []
    return [block for block in blocks if isinstance(block, Message) and block["Action"]]


def _kind_of(block: Message) -> DeliveryKind | None:
    match str(block["Action"]).strip().casefold():
        case "delivered" | "relayed" | "expanded":
            return DeliveryKind.DELIVERED
        case "failed":
            match blame_of(_code_of(block), _diagnosis_of(block)):
                case Blame.ADDRESS:
                    return DeliveryKind.BOUNCED_HARD
                case Blame.ACCOUNT:
                    return DeliveryKind.FAILED
                case Blame.MAILBOX | Blame.BUSY | Blame.OTHER:
                    return DeliveryKind.BOUNCED_SOFT
        case _:
            return None


def _code_of(block: Message) -> str:
    """Return the status; that of the diagnosis where the report's own says nothing (5.0.0)."""
    match = _STATUS.search(str(block["Status"] or ""))
    status = match[1] if match is not None else ""
    if status and not status.endswith(".0.0"):
        return status
    diagnosis = _diagnosis_of(block)
    said = _STATUS.search(diagnosis) or _REPLY.search(diagnosis)
    return said[1] if said is not None else status


def _diagnosis_of(block: Message) -> str:
    """Return what the refusing server said, without the kind of the diagnosis (`smtp;`)."""
    return str(block["Diagnostic-Code"] or "").partition(";")[2].strip()


def _key_of(mail: EmailMessage) -> str:
    """Return the left part of the Message-ID of the mail that came back."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            payload = part.get_payload()
            inner = payload[0] if isinstance(payload, list) and payload else None
            if isinstance(inner, Message):
                return str(inner["Message-ID"] or "").strip("<> ").partition("@")[0]
        if kind == "text/rfc822-headers":
            match = _MESSAGE_ID.search(str(part.get_payload()))
            return match[1].partition("@")[0] if match is not None else ""
    return ""
