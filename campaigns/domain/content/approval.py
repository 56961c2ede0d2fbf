"""What an approval covers, in parts: each has a digest, so that a change can be named."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ApprovedPart(StrEnum):
    """One thing that a recipient could see, or that decides who receives what at which price."""

    TEXTS = "texts"
    CONSTANTS = "constants"
    CHANNELS = "channels"
    STAND_INS = "stand_ins"
    PURPOSE = "purpose"
    PRICES = "prices"
    AUDIENCE = "audience"
    EXPERIMENT = "experiment"
    SCHEDULE = "schedule"
    TERMS = "terms"


# What a worker reads anew while it sends. The rest is frozen with the dispatch: the people chosen,
# their variants, the purpose, the price; or has done its work when sending starts.
READ_BY_WORKERS = (
    ApprovedPart.TEXTS,
    ApprovedPart.CONSTANTS,
    ApprovedPart.CHANNELS,
)
# A touchpoint has these parts. Who stands in matters only where somebody does.
OF_TOUCHPOINTS = (*READ_BY_WORKERS, ApprovedPart.STAND_INS)


def part_digest(value: Any) -> str:
    """Return the digest of one part, made of plain values that JSON can hold."""
    written = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def digests(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of each part."""
    return {str(part): part_digest(value) for part, value in values.items()}


def digest_of(parts: Mapping[str, str]) -> str:
    """Return the one digest that an approval, and the form it is given in, carries."""
    return part_digest({part.value: parts[part.value] for part in ApprovedPart})


def changed(
    before: Mapping[str, str],
    after: Mapping[str, str],
    among: tuple[ApprovedPart, ...] = tuple(ApprovedPart),
) -> tuple[ApprovedPart, ...]:
    """Return the parts that are no longer what was approved; a part never approved is changed."""
    return tuple(part for part in among if part not in before or before[part] != after.get(part))
