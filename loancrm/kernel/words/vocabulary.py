"""Closed vocabularies as people read them: what an enum's values are called and how they look.

One table says of every value its label in the reader's language, its tone, its icon and a line that
explains it. A table that forgets a value, or names one that the enum does not have, is refused when
it is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words.phrases import Phrase, worded

E = TypeVar("E", bound=StrEnum)
Label: TypeAlias = Promise | str
# What a badge says beside its words, as the style sheet names it; none is neither good nor bad.
Tone: TypeAlias = Literal["", "good", "warn", "bad", "busy"]

# A row may hold what an earlier or a later version wrote; its code is no word for a person.
_UNKNOWN: Final = _("unknown")


@dataclass(frozen=True, slots=True)
class Term:
    """How one value is shown.

    Attributes:
        icon: Name of a symbol of the theme's font.
        hint: A sentence that explains the value, or says what follows from it.
    """

    label: Label
    tone: Tone = ""
    icon: str = ""
    hint: Label = ""


class VocabularyIncomplete(TypeError):
    """A table does not name each value of its enum once, and no other."""


class Vocabulary(Mapping[E, Term], Generic[E]):
    """The values of an enum, in the order of their table, each with its term."""

    def __init__(
        self, enum: type[E], terms: Mapping[E, Term | Label], *, unknown: Label = _UNKNOWN
    ) -> None:
        """Take the terms; a label alone is a term without tone, icon and hint.

        Args:
            unknown: How a stored code is read that is none of the values.

        Raises:
            VocabularyIncomplete: A value is missing, or is none of the enum's.
        """
        missing = [member.value for member in enum if member not in terms]
        foreign = [str(key) for key in terms if not isinstance(key, enum)]
        if missing or foreign:
            message = f"{enum.__name__}: missing {missing}, foreign {foreign}"
            raise VocabularyIncomplete(message)
        self.enum: Final = enum
        self._unknown: Final = Term(unknown)
        self._terms: Final[Mapping[E, Term]] = {
            member: term if isinstance(term, Term) else Term(term) for member, term in terms.items()
        }

    def __getitem__(self, member: E) -> Term:
        """Return the term of a value."""
        return self._terms[member]

    def __iter__(self) -> Iterator[E]:
        """Iterate over the values in the order of the table."""
        return iter(self._terms)

    def __len__(self) -> int:
        """Return how many values there are."""
        return len(self._terms)

    def term(self, code: str) -> Term:
        """Return the term of a stored code: an empty one of an empty code that is no value."""
        if code in self._terms:
            return self._terms[self.enum(code)]
        return self._unknown if code else Term("")

    def label(self, code: str) -> str:
        """Return how a stored code is read, in the language of now."""
        return str(self.term(code).label)

    def phrase(self, code: str) -> Phrase:
        """Return the label as a part of a sentence that is stored."""
        return worded(self.term(code).label)

    def tone(self, code: str) -> Tone:
        """Return the colour of a stored code's badge."""
        return self.term(code).tone

    def hint(self, code: str) -> str:
        """Return the sentence that explains a stored code."""
        return str(self.term(code).hint)

    def choices(self) -> list[tuple[str, str]]:
        """Return the values with their labels, as the choices of a form."""
        return [(member.value, str(term.label)) for member, term in self._terms.items()]
