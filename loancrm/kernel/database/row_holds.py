"""A row of long work in one worker's hands, until nothing was heard of that worker for too long."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from loancrm.kernel.database import shared_clock
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

M = TypeVar("M", bound=Model)


class WorkTakenOver(LoanCrmError):
    """Another worker has the row: this one was silent for too long."""

    code = "work_taken_over"

    def __init__(self) -> None:
        """Word it."""
        super().__init__(_("Another worker has taken this work over."))


class RowHold(Generic[M]):
    """The right to write about a row.

    When the worker was last heard of, by the database's clock, is also the token of its hold:
    whoever takes the row over writes another time there.
    """

    def __init__(self, row: QuerySet[M], heard_field: str, token: datetime) -> None:
        """Use `take_row`."""
        self._row = row
        self._field = heard_field
        self._token = token

    def write(self, values: Mapping[str, Any]) -> None:
        """Store values and a sign of life.

        Raises:
            WorkTakenOver: Nothing was stored.
        """
        token = shared_clock.now()
        mine = self._row.filter(**{self._field: self._token})
        if not mine.update(**values, **{self._field: token}):
            raise WorkTakenOver
        self._token = token


def take_row(
    row: QuerySet[M], *, free: Q, values: Mapping[str, Any], heard_field: str
) -> RowHold[M] | None:
    """Take a row that is free and store values; None when it is not, or another was faster.

    Args:
        row: The one row.
        free: Whether it may be taken.
        heard_field: Name of the field that says when its worker was last heard of.
    """
    token = shared_clock.now()
    if not row.filter(free).update(**values, **{heard_field: token}):
        return None
    return RowHold(row, heard_field, token)
