"""Why a file cannot be read or a list not be built, in words that can be stored."""

from django.utils.translation import gettext_lazy as _

from customers.domain.loans.cells import RowProblem
from customers.domain.reading.tables import TabularError
from loancrm.kernel.words.phrases import gettext, worded
from loancrm.kernel.words.vocabulary import Vocabulary

ROW_PROBLEMS = Vocabulary(
    RowProblem,
    {
        RowProblem.ID_MISSING: _("Its own id is missing."),
        RowProblem.ID_TOO_LONG: _("An id in it is too long."),
        RowProblem.PERSON_MISSING: _("The id of the customer is missing."),
        RowProblem.PERSON_UNKNOWN: _("There is no customer of this id."),
        RowProblem.PRODUCT_UNKNOWN: _("There is no product of this code."),
        RowProblem.APPLICATION_UNKNOWN: _("There is no application of this id."),
        RowProblem.LOAN_UNKNOWN: _("There is no loan of this id."),
        RowProblem.AMOUNT_MISSING: _("An amount is missing."),
        RowProblem.AMOUNT_INVALID: _("An amount is unreadable or impossible."),
        RowProblem.RATE_INVALID: _("A rate is unreadable or impossible."),
        RowProblem.TERM_INVALID: _("A number of months or days is unreadable or impossible."),
        RowProblem.DATE_MISSING: _("A date is missing."),
        RowProblem.DATE_INVALID: _("A date is unreadable or impossible."),
        RowProblem.STATUS_INVALID: _("The status is none of the known ones."),
        RowProblem.NAME_MISSING: _(
            "The name is missing or has other signs than letters, digits and _."
        ),
        RowProblem.REPEATED_IN_FILE: _("The id belongs to another row already."),
        RowProblem.PULL_UNKNOWN: _("There is no bureau report of this id."),
        RowProblem.PURPOSE_INVALID: _(
            "The purpose of the report is missing or none of the known ones."
        ),
        RowProblem.CONSENT_MISSING: _("The consent to the report is missing."),
        RowProblem.KIND_INVALID: _("It is neither an income nor an obligation."),
        RowProblem.SHARE_INVALID: _("The own share is not above 0 and at most 1."),
        RowProblem.VALUE_MISSING: _("The value is missing."),
    },
)

_BUILD_PROBLEMS = {
    "segment_rule_invalid": _("its rule cannot be used any more"),
    "database_error": _("the database could not carry it out"),
}
_OTHER_BUILD_PROBLEM = _("an error occurred; see the log")
_FILE_PROBLEMS = {
    "not_a_table": _("it is no table of rows and columns"),
    "header_missing": _("its first row holds no column names"),
    "column_duplicate": _("the column %(column)s comes twice"),
    "columns_too_many": _("it has too many columns; %(most)s are allowed"),
    "rows_too_many": _("it has too many rows; %(most)s are allowed"),
    "file_too_large": _("it is too large when unpacked; %(most)s bytes are allowed"),
    "file_damaged": _("it is damaged or was not transferred whole"),
    "xml_unsafe": _("it holds a document type definition, which workbooks do not need"),
    "quote_unclosed": _("a quotation mark opens in the header and is never closed"),
    "quotes_unclosed": _("more than %(most)s rows have a quotation mark that is never closed"),
    "encoding_unsure": _("its encoding is not certain; choose one: it may be %(candidates)s"),
    "encoding_wrong": _("it is not written in %(encoding)s"),
    "encoding_unsupported": _("this encoding is not supported; supported are %(encodings)s"),
    "mapping_invalid": _("the mapping is not valid"),
    "lines_unaccounted": _("it has %(lines)s lines, but what was read of it has %(read)s"),
}


def file_problem(error: TabularError) -> str:
    """Return in words why a file cannot be read, with the line where reading stopped."""
    words = worded(_FILE_PROBLEMS[error.code])
    words = words % error.facts if error.facts else words
    with_line = gettext("%(reason)s (line %(line)s)") % {"reason": words, "line": error.line}
    return words if error.line is None else with_line


def build_problem(code: str) -> str:
    """Return in words why the members of a segment could not be built."""
    return worded(_BUILD_PROBLEMS.get(code, _OTHER_BUILD_PROBLEM))
