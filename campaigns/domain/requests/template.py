"""A message template: where it stands, and which names its calls fill in."""

import re
from collections.abc import Sequence
from enum import StrEnum

from campaigns.domain.content import texts

MOST_VARIABLES = 20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LINK = re.compile(r"link_\d{1,2}")


class TemplateStatus(StrEnum):
    """Where a template stands; only an approved one is sent."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"


class NameProblem(StrEnum):
    """Why a template may not declare a variable."""

    MALFORMED = "malformed"
    RESERVED = "reserved"
    REPEATED = "repeated"
    TOO_MANY = "too_many"


def name_problems(names: Sequence[str]) -> tuple[tuple[str, NameProblem], ...]:
    """Return which declared names are refused, and why.

    A name that the catalogue of texts has already is never given with a call: nobody passes another
    person's name or another way out than the one that every text has.
    """
    found: list[tuple[str, NameProblem]] = []
    for position, name in enumerate(names):
        if not _NAME.fullmatch(name):
            found.append((name, NameProblem.MALFORMED))
        elif name in texts.VARIABLES or _LINK.fullmatch(name):
            found.append((name, NameProblem.RESERVED))
        elif name in names[:position]:
            found.append((name, NameProblem.REPEATED))
    if len(names) > MOST_VARIABLES:
        found.append((names[MOST_VARIABLES], NameProblem.TOO_MANY))
    return tuple(found)
