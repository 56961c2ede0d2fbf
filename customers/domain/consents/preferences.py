"""What customers may choose about being contacted, and what they may ask of us."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from customers.domain.consents.consent import ConsentChannel, Purpose

# How long a request may take. Source: the fifteen working days of the Chinese rules on identifying
# unlawful collection of personal data by apps (2019, article 6), counted here as calendar days.
REQUEST_DAYS = 15
PAUSE_DAYS = (7, 30, 90)
WEEKLY_LIMITS = (1, 2, 4)
DETAILS_LENGTH = 1000


class PreferenceName(StrEnum):
    """A preference beside the consents."""

    PAUSE = "pause"
    WEEKLY_LIMIT = "weekly_limit"
    PERSONALISATION = "personalisation"


class RequestKind(StrEnum):
    """What somebody asks of us about their data (PIPL articles 45 to 47)."""

    ACCESS = "access"
    CORRECTION = "correction"
    DELETION = "deletion"


class RequestStatus(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class NotifiedBy(StrEnum):
    """How a person was told the answer to a request."""

    PHONE = "phone"
    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    IN_PERSON = "in_person"


@dataclass(frozen=True, slots=True)
class Settings:
    """The preferences in force beside the consents.

    Attributes:
        paused_until: No marketing before this time.
        weekly_limit: Most marketing messages in any seven days; None for the lender's own rules.
    """

    paused_until: datetime | None
    weekly_limit: int | None
    is_personalised: bool

    def written(self) -> dict[PreferenceName, str]:
        """Return the values as the ledger keeps them; empty text where nothing is set."""
        return {
            PreferenceName.PAUSE: self.paused_until.isoformat() if self.paused_until else "",
            PreferenceName.WEEKLY_LIMIT: str(self.weekly_limit or ""),
            PreferenceName.PERSONALISATION: "on" if self.is_personalised else "off",
        }


@dataclass(frozen=True, slots=True)
class PreferenceChoices:
    """Everything that somebody chose on the page at once.

    Attributes:
        offered: The (channel, purpose) pairs that the page showed; others stay as they are.
        granted: Those among them that are wanted.
    """

    offered: frozenset[tuple[ConsentChannel, Purpose]]
    granted: frozenset[tuple[ConsentChannel, Purpose]]
    settings: Settings


def request_due_at(requested_at: datetime) -> datetime:
    """Return by when a request must be answered."""
    return requested_at + timedelta(days=REQUEST_DAYS)
