"""Who gets which variant and who is held out: a stable function of experiment and customer.

A bucket is the first eight hex digits of MD5 over `salt:purpose:customer id`. Digits of equal
length compare as text in the order of their numbers, so both databases can assign a whole audience
in one statement, and the result equals the one computed here.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

BUCKET_DIGITS = 8
_BUCKETS = 16**BUCKET_DIGITS
HOLDOUT = "holdout"
VARIANT = "variant"
TEST = "test"


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant and the share of weight it gets; weights need not add up to anything."""

    key: str
    weight: int


def bucket(salt: UUID, purpose: str, customer_id: int) -> str:
    """Return the customer's bucket for a purpose: eight hex digits, uniform over customers."""
    text = f"{prefix(salt, purpose)}{customer_id}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:BUCKET_DIGITS]


def prefix(salt: UUID, purpose: str) -> str:
    """Return what stands before the customer's id in the hashed text."""
    return f"{salt.hex}:{purpose}:"


def threshold(share: Decimal | float) -> str | None:
    """Return the bucket below which a share of all customers falls; None where that is everyone."""
    bound = int(Decimal(str(share)) * _BUCKETS)
    return None if bound >= _BUCKETS else f"{bound:0{BUCKET_DIGITS}x}"


def is_held_out(salt: UUID, customer_id: int, share: Decimal) -> bool:
    """Return whether a customer belongs to the holdout of a given share."""
    bound = threshold(share)
    return bound is None or bucket(salt, HOLDOUT, customer_id) < bound


def upper_bounds(arms: Sequence[Arm]) -> list[tuple[str, str | None]]:
    """Return (variant key, first bucket that no longer belongs to it); None for the last one.

    Raises:
        ValueError: There is no arm, or all weights are zero.
    """
    total = sum(arm.weight for arm in arms)
    if total <= 0:
        raise ValueError("variants need a positive weight")
    bounds: list[tuple[str, str | None]] = []
    running = 0
    for arm in arms:
        running += arm.weight
        bounds.append((arm.key, threshold(Decimal(running) / total)))
    return bounds


def assign(salt: UUID, customer_id: int, arms: Sequence[Arm]) -> str:
    """Return the key of the variant a customer gets."""
    own = bucket(salt, VARIANT, customer_id)
    for key, bound in upper_bounds(arms):
        if bound is None or own < bound:
            return key
    return arms[-1].key
