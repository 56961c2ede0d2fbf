"""Telling people from machines among the visits of tracked links.

Mail gateways and clients open links before a person does: they send HEAD, name themselves, say that
they prefetch, or open every link of a message within a moment.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_AGENT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|prefetch|scan|monitor|proxy|facebookexternalhit|whatsapp|"
    r"curl|wget|python-|aiohttp|httpx|okhttp|java/|go-http|libwww|headless|phantom|barracuda|mimecast|"
    r"proofpoint|safelinks|symantec|fortinet|trendmicro|urlcheck|validator",
    re.IGNORECASE,
)
_PREFETCH_HEADERS = ("purpose", "sec-purpose", "x-purpose", "x-moz")
_BURST_LINKS = 3
BURST_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as far as telling needs it."""

    visit_id: int
    message_id: int
    link_id: int
    at: datetime


def is_machine(*, method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a request is openly not a person's click.

    Args:
        method: HTTP method.
        headers: Names in lower case.
    """
    if method != "GET":
        return True
    agent = headers.get("user-agent", "")
    if not agent or _AGENT.search(agent):
        return True
    purposes = " ".join(headers.get(name, "").lower() for name in _PREFETCH_HEADERS)
    return "prefetch" in purposes or "preview" in purposes


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
