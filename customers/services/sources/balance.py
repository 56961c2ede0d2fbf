"""The balance of an import: every row of a file has become something, and exactly one thing."""

from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _


class RowsUnbalanced(LoanCrmError):
    """The outcomes of an import do not add up to the rows of its file."""

    code = "rows_unbalanced"


def require_balance(rows: int, /, **outcomes: int) -> None:
    """Refuse figures that would hide lost rows.

    Args:
        rows: How many rows there are, counted apart from what became of them.
        outcomes: How many rows became what.

    Raises:
        RowsUnbalanced: They do not add up.
    """
    told = sum(outcomes.values())
    if told != rows:
        raise RowsUnbalanced(
            _("The file has %(rows)d rows, but %(told)d are accounted for; do not rely on it.")
            % {"rows": rows, "told": told},
            rows=rows,
            told=told,
            **outcomes,
        )
