"""Who got what, person by person and message by message, from the provider's own log."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from campaigns.benchmarks import texts
from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign, Message
from campaigns.simulators import evidence

_ADDRESSES = {"email": texts.address, "sms": texts.mobile}


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """What became of a campaign to everybody.

    Attributes:
        people: How many people got it.
        duplicates: Copies too many, to a person or of a message.
        lost: People who neither got it nor are listed as unknown, for a person to look at.
        unknown: How many are listed.
    """

    people: int
    duplicates: int
    lost: int
    unknown: int


def by_everybody(
    log: Path, *, campaign: Campaign, kind: str, count: int, offset: int = 0
) -> DeliveryCounts:
    """Compare a provider's log with the audience.

    One lost and one doubled message do not cancel out, as they would in a difference of totals.

    Args:
        count: The people of the campaign are the first so many.
        offset: Where in the log the campaign begins.
    """
    copies = evidence.count(evidence.read(log, offset=offset))
    expected = people(kind, range(count))
    unknown = {
        person_of(external_id, kind)
        for external_id in Message.objects.filter(
            dispatch__campaign=campaign, state=MessageState.UNKNOWN
        ).values_list("customer__external_id", flat=True)
    }
    strangers = set(copies.by_person) - expected
    return DeliveryCounts(
        people=len(copies.by_person),
        duplicates=copies.duplicates + len(strangers),
        lost=len(set(copies.missing(expected)) - unknown),
        unknown=len(unknown),
    )


def people(kind: str, numbers: Iterable[int]) -> set[str]:
    """Return the digests of made-up customers."""
    return {evidence.person(_ADDRESSES[kind](number)) for number in numbers}


def person_of(external_id: str, kind: str) -> str:
    """Return the digest under which a made-up customer appears in a provider's log."""
    number = int(external_id.removeprefix("bench"))
    return evidence.person(_ADDRESSES[kind](number))
