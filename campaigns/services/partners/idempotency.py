"""Calls that are safe to repeat: one execution a key, the stored reply afterwards.

The key is claimed in its own short transaction; the reply is stored in the transaction of the work,
so either both exist or neither. After a crash the claim runs out and the call can be repeated.

Source: Stripe, "Idempotent requests"; draft-ietf-httpapi-idempotency-key-header.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from campaigns.models import IdempotencyKey
from loancrm.kernel.database import shared_clock
from loancrm.kernel.errors import LoanCrmError

LEASE = timedelta(seconds=60)
KEPT_FOR = timedelta(days=7)
_LONGEST_WAIT_SECONDS = 5


class KeyReused(LoanCrmError):
    """The key was used for a request with another body or address."""

    code = "idempotency_key_reused"


class KeyInFlight(LoanCrmError):
    """The first request of this key has not ended yet."""

    code = "idempotency_key_in_flight"


@dataclass(frozen=True, slots=True)
class Reply:
    """A stored reply."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to execute the call of a key, until `lease_until`."""

    key_id: int
    lease_until: datetime


def claim(*, partner_id: int, key: str, fingerprint: str, now: datetime) -> Claim | Reply:
    """Claim a key, or return the reply that was stored for it.

    Call it outside any transaction: the claim must be visible to others at once. The fingerprint is
    a digest of method, address and body (64 hex digits).

    Raises:
        KeyReused: The key belongs to another request.
        KeyInFlight: The first request is still running.
    """
    # By the one clock that all hosts share: another's may be an hour ahead.
    at = shared_clock.now()
    lease_until = at + LEASE
    row, is_new = IdempotencyKey.objects.get_or_create(
        partner_id=partner_id,
        key=key,
        defaults={"fingerprint": fingerprint, "lease_until": lease_until, "created_at": now},
    )
    if is_new:
        return Claim(key_id=row.pk, lease_until=lease_until)
    is_forgotten = row.created_at <= now - KEPT_FOR
    if not is_forgotten:
        if row.fingerprint != fingerprint:
            raise KeyReused(_("This Idempotency-Key was used for another request."))
        if row.is_done:
            return Reply(status=row.reply_status or 200, body=bytes(row.reply_body))
        if row.lease_until > at:
            raise _in_flight(row.lease_until - at)
    taken = IdempotencyKey.objects.filter(
        pk=row.pk, lease_until=row.lease_until, is_done=row.is_done
    ).update(
        fingerprint=fingerprint,
        is_done=False,
        lease_until=lease_until,
        created_at=now if is_forgotten else row.created_at,
    )
    if not taken:
        raise _in_flight(LEASE)
    return Claim(key_id=row.pk, lease_until=lease_until)


def store(held: Claim, reply: Reply) -> None:
    """Store the reply, in the transaction of the work.

    Raises:
        KeyInFlight: The claim ran out and another request holds the key; roll the work back.
    """
    stored = IdempotencyKey.objects.filter(
        pk=held.key_id, lease_until=held.lease_until, is_done=False
    ).update(is_done=True, reply_status=reply.status, reply_body=reply.body)
    if not stored:
        raise _in_flight(LEASE)


def release(held: Claim) -> None:
    """Give the key back after work that was refused or failed; it may be used again."""
    IdempotencyKey.objects.filter(
        pk=held.key_id, lease_until=held.lease_until, is_done=False
    ).delete()


def forget_old_keys(*, now: datetime) -> int:
    """Delete the keys whose replies are kept no longer; return how many."""
    deleted, __ = IdempotencyKey.objects.filter(created_at__lte=now - KEPT_FOR).delete()
    return deleted


def _in_flight(left: timedelta) -> KeyInFlight:
    seconds = min(_LONGEST_WAIT_SECONDS, max(1, int(left.total_seconds())))
    return KeyInFlight(
        _("The first request with this Idempotency-Key is still running."),
        retry_after_seconds=seconds,
    )
