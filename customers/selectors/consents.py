"""The consent ledger read back: what was in force at any time."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from customers.domain.consent import ConsentFact, state_at
from customers.models import ConsentRecord

ConsentKey = tuple[str, str]


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
