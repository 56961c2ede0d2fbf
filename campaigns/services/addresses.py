"""Addresses that a provider refused at the door."""

from collections.abc import Mapping

from campaigns.domain.receipts import is_hard_bounce
from campaigns.selectors.receipt_targets import KIND_OF_CHANNEL
from customers.domain.contact import ContactStatus
from customers.models import ContactPoint

_INVALID_CODES = frozenset({"number_invalid", "address_invalid"})


def mark_refused(*, channel_kind: str, codes: Mapping[int, str]) -> int:
    """Mark the primary addresses of customers to whom a provider said that they do not exist.

    Refusals that are about the text, the sender or its policy blame no address. Call it in the
    transaction that settles the messages.

    Args:
        channel_kind: `sms` or `email`; other kinds have no address to mark.
        codes: {customer id: code of the rejected result}.

    Returns:
        How many addresses were marked.
    """
    kind = KIND_OF_CHANNEL.get(channel_kind)
    if kind is None:
        return 0
    marked = 0
    for status, ids in (
        (ContactStatus.BOUNCED, [pk for pk, code in codes.items() if is_hard_bounce(code)]),
        (ContactStatus.INVALID, [pk for pk, code in codes.items() if code in _INVALID_CODES]),
    ):
        if ids:
            marked += ContactPoint.objects.filter(
                customer_id__in=ids, kind=kind, is_primary=True, status=ContactStatus.ACTIVE
            ).update(status=status)
    return marked
