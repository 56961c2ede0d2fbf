"""Addresses that a provider says are dead, at once or in a report that comes later.

What was written to is blamed, never the address that the person has by now. Whoever else has the
same address cannot be reached there either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from campaigns.domain.receipts import refusal_rules
from campaigns.domain.receipts.refusals import Blame, blame_of
from campaigns.models import SoftBounce
from customers.domain.values.contact import ContactStatus
from customers.models import ContactPoint


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message that could not be delivered.

    Attributes:
        contact_point_id: What was written to; None where that is not known, which blames nothing.
        blame: What the provider's words are about.
        code: As the provider wrote it.
    """

    message_id: int
    contact_point_id: int | None
    blame: Blame
    code: str


def refusal(
    *, message_id: int, contact_point_id: int | None, code: str, words: str = ""
) -> Refusal:
    """Return a refusal as its code and words are understood."""
    return Refusal(message_id, contact_point_id, blame_of(code, words), code)


def mark_refused(*, refusals: Iterable[Refusal], now: datetime) -> int:
    """Take addresses out of use that do not exist, or that have bounced softly too often.

    Refusals that are about the text, the sender or its policy blame no address. Call it in the
    transaction that stores what became of the messages.

    Returns:
        How many addresses went out of use.
    """
    bounced: set[int] = set()
    invalid: set[int] = set()
    soft: list[tuple[int, Refusal]] = []
    for item in refusals:
        if item.contact_point_id is None:
            continue
        if item.blame is Blame.MAILBOX:
            soft.append((item.contact_point_id, item))
        elif item.blame is Blame.ADDRESS:
            is_number = item.code.casefold() in refusal_rules.DEAD_NUMBER_CODES
            (invalid if is_number else bounced).add(item.contact_point_id)
    bounced |= _worn_out(soft, now)
    return _retire(bounced, ContactStatus.BOUNCED) + _retire(invalid, ContactStatus.INVALID)


def _worn_out(soft: Sequence[tuple[int, Refusal]], now: datetime) -> set[int]:
    """Count soft bounces, each message once; return the addresses that had too many."""
    if not soft:
        return set()
    SoftBounce.objects.bulk_create(
        [
            SoftBounce(
                contact_point_id=point_id,
                message_id=item.message_id,
                at=now,
                code=item.code[:40],
            )
            for point_id, item in soft
        ],
        ignore_conflicts=True,
    )
    since = now - timedelta(days=refusal_rules.SOFT_BOUNCE_DAYS)
    counted = (
        SoftBounce.objects.filter(
            contact_point_id__in={point_id for point_id, _item in soft}, at__gt=since
        )
        .values_list("contact_point_id")
        .annotate(count=Count("pk"))
    )
    return {pk for pk, count in counted if count >= refusal_rules.SOFT_BOUNCES}


def _retire(point_ids: set[int], status: ContactStatus) -> int:
    if not point_ids:
        return 0
    blamed = ContactPoint.objects.filter(pk__in=point_ids).values_list("kind", "value_index")
    retired = 0
    for kind, index in sorted(set(blamed)):
        retired += ContactPoint.objects.filter(
            kind=kind, value_index=index, status=ContactStatus.ACTIVE
        ).update(status=status)
    return retired
