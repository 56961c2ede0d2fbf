"""The consent ledger read back: what was in force at any time."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q, QuerySet

from customers.domain.consents.consent import ConsentFact, Purpose, state_at
from customers.models import ConsentRecord, ConsentState
from customers.selectors import sources
from loancrm.kernel import clock

ConsentKey = tuple[str, str]


def in_force(*, now: datetime, **which: str) -> QuerySet[ConsentState]:
    """Return the consents that stand, as `is_in_force` says of one; at most one a key.

    Args:
        which: Channel and purpose, where only those are asked for.
    """
    return ConsentState.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now), is_granted=True, **which
    )


def granted_now(customer_id: int, *, now: datetime) -> frozenset[ConsentKey]:
    """Return the (channel, purpose) that a person has agreed to and that may be used.

    Without grants that have expired and grants for marketing of sources that are barred.
    """
    barred = sources.barred(Purpose.MARKETING, today=now.astimezone(clock.company_zone()).date())
    rows = in_force(now=now).filter(customer_id=customer_id)
    return frozenset(
        (channel, purpose)
        for channel, purpose, source in rows.values_list("channel", "purpose", "source")
        if purpose != Purpose.MARKETING or source not in barred
    )


def states_at(
    customer_id: int, *, at: datetime, known_at: datetime | None = None
) -> Mapping[ConsentKey, ConsentFact]:
    """Return {(channel, purpose): the fact in force} as it was at a time.

    Rebuilt from the ledger alone; whether a grant had expired by then, `is_in_force` tells.

    Args:
        customer_id: Whose consents.
        at: The time that is asked about.
        known_at: Leave out what was written down after this time, to see what a decision back then
            could know.
    """
    rows = ConsentRecord.objects.filter(customer_id=customer_id, at__lte=at)
    if known_at is not None:
        rows = rows.filter(recorded_at__lte=known_at)
    facts: dict[ConsentKey, list[ConsentFact]] = defaultdict(list)
    for channel, purpose, is_granted, when, expires_at in rows.values_list(
        "channel", "purpose", "is_granted", "at", "expires_at"
    ):
        facts[channel, purpose].append(ConsentFact(is_granted, when, expires_at))
    found = {key: state_at(of_key, now=at) for key, of_key in facts.items()}
    return {key: fact for key, fact in found.items() if fact is not None}
