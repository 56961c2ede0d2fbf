"""Telling people from machines among the visits of tracked links.

Mail gateways and clients open links before a person does: they send HEAD, name themselves, say that
they prefetch, open every link of a message within a moment, come with the delivery itself, or go
from one address through the messages of many people. A visit is never thrown away: what tells it
from a person's is noted with it, and figures count those without such a sign.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from campaigns.domain.receipts.crawlers import is_crawler

_PREFETCH_HEADERS = ("purpose", "sec-purpose", "x-purpose", "x-moz")
_BURST_LINKS = 3
BURST_SECONDS = 2
# Nobody reads and taps within a second of the call that hands the message over; gateways open links
# while they take it.
TOO_SOON_SECONDS = 1
# So many people's messages from one address within a minute. Carriers put thousands of telephones
# behind one address, so fewer say nothing.
SHARED_MESSAGES = 10
SHARED_SECONDS = 60


class MachineSign(StrEnum):
    """What tells a machine's visit from a person's."""

    METHOD = "method"
    AGENT = "agent"
    PREFETCH = "prefetch"
    BURST = "burst"
    TOO_SOON = "too_soon"
    SHARED_ADDRESS = "shared_address"


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as far as telling needs it.

    Attributes:
        handed_over_at: When its provider was called for it; None where that is not known.
        address: A fingerprint of where it came from; empty where that is not known.
    """

    visit_id: int
    message_id: int
    link_id: int
    at: datetime
    handed_over_at: datetime | None = None
    address: str = ""


def machine_sign(*, method: str, headers: Mapping[str, str]) -> MachineSign | None:
    """Return what shows by itself that a request is not a person's click; None where nothing does.

    Args:
        method: HTTP method.
        headers: Names in lower case.
    """
    if method != "GET":
        return MachineSign.METHOD
    agent = headers.get("user-agent", "")
    if not agent or is_crawler(agent):
        return MachineSign.AGENT
    purposes = " ".join(headers.get(name, "").lower() for name in _PREFETCH_HEADERS)
    if "prefetch" in purposes or "preview" in purposes:
        return MachineSign.PREFETCH
    return None


def signs_among(visits: Iterable[Visit]) -> dict[int, MachineSign]:
    """Return {visit: what tells it from a person's} as far as visits show it together."""
    known = list(visits)
    found = dict.fromkeys(_too_soon(known), MachineSign.TOO_SOON)
    found |= dict.fromkeys(_shared(known), MachineSign.SHARED_ADDRESS)
    return found | dict.fromkeys(bursts(known), MachineSign.BURST)


def bursts(visits: Iterable[Visit]) -> set[int]:
    """Return the visits of messages of which three links were opened within two seconds."""
    by_message: dict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_message[visit.message_id].append(visit)
    found: set[int] = set()
    for group in by_message.values():
        group.sort(key=lambda visit: visit.at)
        for position, first in enumerate(group):
            end = first.at + timedelta(seconds=BURST_SECONDS)
            near = [visit for visit in group[position:] if visit.at <= end]
            if len({visit.link_id for visit in near}) >= _BURST_LINKS:
                found.update(visit.visit_id for visit in near)
    return found


def _too_soon(visits: Iterable[Visit]) -> set[int]:
    margin = timedelta(seconds=TOO_SOON_SECONDS)
    return {
        visit.visit_id
        for visit in visits
        if visit.handed_over_at is not None and visit.at <= visit.handed_over_at + margin
    }


def _shared(visits: Iterable[Visit]) -> set[int]:
    """Return the visits of addresses that went through many people's messages within a minute."""
    by_address: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        if visit.address:
            by_address[visit.address].append(visit)
    found: set[int] = set()
    for group in by_address.values():
        group.sort(key=lambda visit: visit.at)
        first = 0
        for last, visit in enumerate(group):
            while group[first].at < visit.at - timedelta(seconds=SHARED_SECONDS):
                first += 1
            near = group[first : last + 1]
            if len({each.message_id for each in near}) >= SHARED_MESSAGES:
                found.update(each.visit_id for each in near)
    return found
