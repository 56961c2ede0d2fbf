"""A signature or template of text messages on its way through a provider's approval.

Source: carriers in China drop text messages whose signature is not filed (签名报备), delete
signatures that nobody uses, and tell neither the sender nor the person.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

# So long before a signature is taken for deleted, or an approval ends, people are warned.
WARNING = timedelta(days=30)


class FilingKind(StrEnum):
    """What is filed."""

    SIGNATURE = "signature"
    TEMPLATE = "template"


class FilingStatus(StrEnum):
    """Where a filing stands with the provider; only an approved one may be sent under."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    CLEARED = "cleared"
    EXPIRED = "expired"


class FilingDemand(StrEnum):
    """What a provider wants approved before it carries a message."""

    NOTHING = ""
    SIGNATURE = "signature"
    TEMPLATE = "template"


FILING_MOVES: Mapping[FilingStatus, frozenset[FilingStatus]] = {
    FilingStatus.DRAFT: frozenset({FilingStatus.SUBMITTED}),
    FilingStatus.SUBMITTED: frozenset(
        {FilingStatus.DRAFT, FilingStatus.APPROVED, FilingStatus.REFUSED}
    ),
    FilingStatus.APPROVED: frozenset(
        {FilingStatus.REFUSED, FilingStatus.CLEARED, FilingStatus.EXPIRED}
    ),
    FilingStatus.REFUSED: frozenset({FilingStatus.DRAFT, FilingStatus.SUBMITTED}),
    FilingStatus.CLEARED: frozenset({FilingStatus.DRAFT, FilingStatus.SUBMITTED}),
    FilingStatus.EXPIRED: frozenset({FilingStatus.DRAFT, FilingStatus.SUBMITTED}),
}
# What ends an approval, or refuses one, is told with its reason.
NEEDS_REASON = frozenset({FilingStatus.REFUSED, FilingStatus.CLEARED})


def ends_on(*, used_on: date | None, idle_days: int | None, expires_on: date | None) -> date | None:
    """Return the day from which a filing is no longer good; None where none is in sight.

    Args:
        used_on: When it was used last, or approved where it never was.
        idle_days: After so many days without use the provider deletes it; None where it does not.
        expires_on: The last day of the approval.
    """
    ends = []
    if expires_on is not None:
        ends.append(expires_on + timedelta(days=1))
    if idle_days is not None and used_on is not None:
        ends.append(used_on + timedelta(days=idle_days))
    return min(ends, default=None)


def is_near(end: date | None, *, today: date) -> bool:
    """Return whether the end of a filing is so near that people have to act."""
    return end is not None and end <= today + WARNING
