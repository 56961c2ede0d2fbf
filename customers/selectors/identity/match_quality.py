"""How well the matcher does on a file of which the truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _

from customers.domain.linkage.records import ColumnRole, person_of, roles_of
from customers.domain.linkage.resolution import (
    PairwiseQuality,
    pairwise_quality,
    resolve,
    reviewed_quality,
)
from customers.domain.reading.tabular import TabularError, open_table
from loancrm.kernel.errors import LoanCrmError

# Drawing the pairs that show how often values agree by accident: the same file, the same answer.
_SEED: Final = 20240601
_PERSON: Final = "person"


class MatchFileRefused(LoanCrmError):
    """The file or its truth cannot be used; `facts` hold the reason."""

    code = "match_file_refused"


@dataclass(frozen=True, slots=True)
class MatchReport:
    """The quality of a match, with the roles that were compared.

    Attributes:
        reviewed: The quality once people have answered the review queue.
    """

    record_count: int
    person_count: int
    quality: PairwiseQuality
    reviewed: PairwiseQuality
    doubtful_count: int
    roles: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as the command prints it; a share of nothing is null."""
        return {
            "records": self.record_count,
            "persons": self.person_count,
            "precision": self.quality.precision,
            "recall": self.quality.recall,
            "f1": self.quality.f1,
            "true_pairs": self.quality.true,
            "found_pairs": self.quality.found,
            "wrong_pairs": self.quality.found - self.quality.found_right,
            "review_pairs": self.doubtful_count,
            "recall_with_review": self.reviewed.recall,
            "compared": list(self.roles),
        }


def measure(*, path: Path, truth_path: Path, sure: float, today: date) -> MatchReport:
    """Match the records of a file and compare the pairs found with the truth.

    Args:
        path: CSV or XLSX; columns are recognised by their names, others are not compared.
        truth_path: CSV with a column `person`; its first column is the records' id, named as in
            the file.
        sure: Chance from which two records are put together.
        today: For the plausibility of birth dates.

    Raises:
        MatchFileRefused: A file cannot be read, a column is missing, or a record has no truth.
    """
    id_column, truth = _truth(truth_path)
    ids, texts = _records(path, id_column)
    unknown = [record_id for record_id in ids if record_id not in truth]
    if unknown:
        raise _refused("truth_incomplete", count=len(unknown))
    people = [person_of(values, today=today) for values in texts]
    found = resolve(people, rng=np.random.default_rng(_SEED), sure=sure)
    compared = found.model.roles if found.model else ()
    persons = [truth[record_id] for record_id in ids]
    return MatchReport(
        record_count=len(ids),
        person_count=len(set(found.leaders)),
        quality=pairwise_quality(found.leaders, persons),
        reviewed=reviewed_quality(found, persons),
        doubtful_count=len(found.doubtful),
        roles=tuple(role.value for role in compared),
    )


def _truth(path: Path) -> tuple[str, dict[str, str]]:
    rows, columns = _rows(path)
    if _PERSON not in columns:
        raise _refused("column_missing", column=_PERSON)
    id_column = columns[0]
    return id_column, {row[id_column]: row[_PERSON] for row in rows}


def _records(path: Path, id_column: str) -> tuple[list[str], list[dict[ColumnRole, str]]]:
    rows, columns = _rows(path)
    if id_column not in columns:
        raise _refused("column_missing", column=id_column)
    roles = roles_of(columns)
    if not roles:
        raise _refused("nothing_to_compare")
    texts = [{role: row[column] for column, role in roles.items()} for row in rows]
    return [row[id_column] for row in rows], texts


def _rows(path: Path) -> tuple[list[Mapping[str, str]], tuple[str, ...]]:
    try:
        with open_table(path) as table:
            return [row.values for row in table], table.columns
    except (TabularError, OSError) as error:
        raise _refused(getattr(error, "code", "unreadable")) from error


def _refused(reason: str, **facts: object) -> MatchFileRefused:
    return MatchFileRefused(
        _("The file cannot be matched: %(reason)s.") % {"reason": reason}, reason=reason, **facts
    )
