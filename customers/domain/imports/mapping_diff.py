"""What differs between two versions of a mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class MappingDifference:
    """One place where two mappings differ; an empty text where one of them says nothing."""

    path: str
    before: str
    after: str


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[MappingDifference]:
    """Return the places that differ, in the order of the later version, removed ones last."""
    return list(_walk("", before, after))


def _walk(path: str, before: Any, after: Any) -> Iterator[MappingDifference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*after, *before)):
            place = f"{path}.{key}" if path else str(key)
            yield from _walk(place, before.get(key), after.get(key))
        return
    yield MappingDifference(path, _text(before), _text(after))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
