"""What the lists of people that a targeting leaves are called."""

import hashlib
import re
from collections.abc import Sequence

from analytics.domain.targeting.spec import TargetingSpec

_LONGEST = 80
_LONGEST_OFFER = 30
_MARK_LENGTH = 8


def list_slug(targeting: str, offer: str, channel: str = "") -> str:
    """Return the short name of the list of an offer, or of what it gets through one channel.

    What is too long is cut, and ends with digits of the digest of the whole.
    """
    full = "-".join(part for part in ("target", targeting, offer, channel) if part)
    if len(full) <= _LONGEST:
        return full
    mark = hashlib.sha256(full.encode()).hexdigest()[:_MARK_LENGTH]
    return f"{full[: _LONGEST - _MARK_LENGTH - 1]}-{mark}"


def lists_of(spec: TargetingSpec) -> list[tuple[str, str]]:
    """Return offer and channel of every list; the channel is empty for that of a whole offer."""
    return list_places(
        [offer.slug for offer in spec.offers], [channel.channel for channel in spec.channels]
    )


def list_places(offers: Sequence[str], channels: Sequence[str]) -> list[tuple[str, str]]:
    """Return offer and channel of every list that these leave, by their short names."""
    each = ("", *channels) if len(channels) > 1 else ("",)
    return [(offer, channel) for offer in offers for channel in each]


def offer_slug(name: str) -> str:
    """Return the short name of an offer that was named on a page: the same name, the same list.

    By its place an offer that is dropped would leave its list to the one after it, and a campaign
    with that list would tell the people of one offer of another.
    """
    plain = "-".join(re.findall(r"[a-z0-9]+", name.lower()))
    if plain and plain == "-".join(name.lower().split()) and len(plain) <= _LONGEST_OFFER:
        return plain
    mark = hashlib.sha256(name.encode()).hexdigest()[:_MARK_LENGTH]
    return f"{plain[: _LONGEST_OFFER - _MARK_LENGTH - 1] or 'offer'}-{mark}"


def ambiguous_offers(spec: TargetingSpec) -> list[int]:
    """Return the places of offers of which a list would be called like one of an earlier offer.

    Offers "a" and "a-sms" through a channel "sms": the people of one would get the other.
    """
    owners: dict[str, str] = {}
    found = set()
    places = {offer.slug: at for at, offer in enumerate(spec.offers)}
    for offer, channel in lists_of(spec):
        if owners.setdefault(list_slug(spec.slug, offer, channel), offer) != offer:
            found.add(places[offer])
    return sorted(found)
