"""What can be wrong with a value or a row, and how good a file was.

Codes are stable: they appear in reports, rejects files, `by_reason` and customers' histories.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Code(StrEnum):
    """Everything that an import reports about a cell, a row or a person."""

    PHONE_INVALID = "phone_invalid"
    PHONE_DIGITS_LOST = "phone_digits_lost"
    EMAIL_INVALID = "email_invalid"
    ID_FORMAT = "id_format"
    ID_CHECKSUM = "id_checksum"
    ID_DATE = "id_date"
    ID_REGION = "id_region"
    NAME_MISSING = "name_missing"
    NAME_INVALID = "name_invalid"
    DATE_INVALID = "date_invalid"
    DATE_AMBIGUOUS = "date_ambiguous"
    BIRTH_FUTURE = "birth_future"
    BIRTH_IMPLAUSIBLE = "birth_implausible"
    BIRTH_CONFLICT = "birth_conflict"
    GENDER_INVALID = "gender_invalid"
    GENDER_CONFLICT = "gender_conflict"
    AMOUNT_INVALID = "amount_invalid"
    NUMBER_INVALID = "number_invalid"
    FLAG_INVALID = "flag_invalid"
    CATEGORY_UNKNOWN = "category_unknown"
    TEXT_TOO_LONG = "text_too_long"
    VALUE_MISSING = "value_missing"
    CONSENT_CONFLICT = "consent_conflict"
    DUPLICATE = "duplicate"
    IDENTITY_CONFLICT = "identity_conflict"
    IDENTITY_MISSING = "identity_missing"
    CELLS_MISALIGNED = "cells_misaligned"
    EXISTS_ALREADY = "exists_already"
    NOT_FOUND = "not_found"


class Severity(StrEnum):
    """What happens because of a finding."""

    NOTE = "note"
    FIELD_DROPPED = "field_dropped"
    ROW_REJECTED = "row_rejected"


_REJECTING = frozenset(
    {Code.IDENTITY_MISSING, Code.CELLS_MISALIGNED, Code.EXISTS_ALREADY, Code.NOT_FOUND}
)
_NOTING = frozenset(
    {
        Code.NAME_MISSING,
        Code.VALUE_MISSING,
        Code.BIRTH_CONFLICT,
        Code.GENDER_CONFLICT,
        Code.CONSENT_CONFLICT,
        Code.DUPLICATE,
        Code.IDENTITY_CONFLICT,
    }
)


class ValueRefused(ValueError):
    """A text does not mean a value of the wanted kind; carries the code, never the text."""

    def __init__(self, code: Code) -> None:
        """Keep the code."""
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an import noticed in one row; `column` is the file's column, or empty."""

    code: Code
    column: str = ""

    @property
    def severity(self) -> Severity:
        """Return what the finding did to the row."""
        if self.code in _REJECTING:
            return Severity.ROW_REJECTED
        return Severity.NOTE if self.code in _NOTING else Severity.FIELD_DROPPED


@dataclass(slots=True)
class Share:
    """A rate that keeps its numerator and denominator."""

    numerator: int = 0
    denominator: int = 0

    @property
    def rate(self) -> float | None:
        """Return the rate in 0..1, or None where nothing was counted."""
        return self.numerator / self.denominator if self.denominator else None

    def count(self, *, good: bool) -> None:
        """Count one more case."""
        self.denominator += 1
        self.numerator += good


@dataclass(slots=True)
class Scorecard:
    """Quality of one file: every dimension with numerator and denominator, column by column.

    Completeness: cells with a text among all cells. Validity: accepted among cells with a text.
    Uniqueness: rows that are nobody else's second row among all rows. Consistency: rows whose
    fields do not contradict each other among rows that were kept.
    """

    completeness: dict[str, Share] = field(default_factory=dict)
    validity: dict[str, Share] = field(default_factory=dict)
    uniqueness: Share = field(default_factory=Share)
    consistency: Share = field(default_factory=Share)

    def count_cell(self, column: str, *, is_filled: bool, is_valid: bool) -> None:
        """Count one cell of a mapped column."""
        self.completeness.setdefault(column, Share()).count(good=is_filled)
        if is_filled:
            self.validity.setdefault(column, Share()).count(good=is_valid)

    def as_json(self) -> dict[str, object]:
        """Return the card as plain JSON values."""

        def share(item: Share) -> dict[str, object]:
            return {
                "numerator": item.numerator,
                "denominator": item.denominator,
                "rate": item.rate,
            }

        return {
            "completeness": {name: share(item) for name, item in self.completeness.items()},
            "validity": {name: share(item) for name, item in self.validity.items()},
            "uniqueness": share(self.uniqueness),
            "consistency": share(self.consistency),
        }
