"""Reading the JSON of a mapping piece by piece; every mistake names its path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

_E = TypeVar("_E", bound=StrEnum)
NAME: Final = re.compile(r"^[a-z0-9][a-z0-9_-]{0,59}$")


class MappingProblem(StrEnum):
    """What can be wrong at one place of a mapping."""

    MISSING_KEY = "missing_key"
    UNKNOWN_KEY = "unknown_key"
    WRONG_TYPE = "wrong_type"
    WRONG_VALUE = "wrong_value"
    UNKNOWN_TARGET = "unknown_target"
    REPEATED_TARGET = "repeated_target"
    WRONG_VERSION = "wrong_version"


class MappingError(ValueError):
    """A mapping is wrong at one place.

    Attributes:
        path: Where, such as `columns.phone.to`.
    """

    def __init__(self, path: str, problem: MappingProblem) -> None:
        """Keep place and problem."""
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def read_object(raw: object, path: str, known: frozenset[str] | None = None) -> dict[str, Any]:
    """Return a JSON object whose keys are all known."""
    if not isinstance(raw, dict):
        raise MappingError(path, MappingProblem.WRONG_TYPE)
    for key in raw:
        if known is not None and key not in known:
            raise MappingError(f"{path}.{key}", MappingProblem.UNKNOWN_KEY)
    return raw


def read_required(content: Mapping[str, Any], key: str, path: str) -> Any:
    """Return what stands under a key that must be there."""
    if key not in content:
        raise MappingError(f"{path}.{key}" if path else key, MappingProblem.MISSING_KEY)
    return content[key]


def read_text(raw: object, path: str) -> str:
    """Return a text."""
    if not isinstance(raw, str):
        raise MappingError(path, MappingProblem.WRONG_TYPE)
    return raw


def read_texts(raw: object, path: str) -> list[str]:
    """Return a list of texts."""
    if not isinstance(raw, list):
        raise MappingError(path, MappingProblem.WRONG_TYPE)
    return [read_text(item, f"{path}[{position}]") for position, item in enumerate(raw)]


def read_slug(raw: object, path: str) -> str:
    """Return a name of small letters, digits, - and _."""
    text = read_text(raw, path)
    if not NAME.match(text):
        raise MappingError(path, MappingProblem.WRONG_VALUE)
    return text


def read_flag(raw: object, path: str) -> bool:
    """Return true or false."""
    if not isinstance(raw, bool):
        raise MappingError(path, MappingProblem.WRONG_TYPE)
    return raw


def read_choice(kind: type[_E], raw: object, path: str) -> _E:
    """Return one of a closed vocabulary."""
    try:
        return kind(read_text(raw, path))
    except ValueError as error:
        raise MappingError(path, MappingProblem.WRONG_VALUE) from error
