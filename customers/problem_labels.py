"""Why a file cannot be read or a list not be built, in words that can be stored."""

from django.utils.translation import gettext_lazy as _

from customers.domain.reading.tables import TabularError
from loancrm.kernel.words.phrases import gettext, worded

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
