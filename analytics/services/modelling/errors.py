"""What may be wrong with the files that models are trained from, kept in and applied to."""

from analytics.domain.modelling.csv_tables import CsvRefusedError
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import Phrase
from loancrm.kernel.words.phrases import gettext as _


class TableFileRefused(LoanCrmError):
    """A file is no table that can be read."""

    code = "table_file_refused"


class TargetUnknown(LoanCrmError):
    """A file has no such column, or no row of it has the value that is to be predicted."""

    code = "model_target_unknown"


class ModelNotTrainable(LoanCrmError):
    """The rows do not make a model."""

    code = "model_not_trainable"


class ModelFileRefused(LoanCrmError):
    """A file is no model, or no longer the model that was written."""

    code = "model_file_refused"


class ModelColumnsMissing(LoanCrmError):
    """A file lacks columns that a model needs."""

    code = "model_columns_missing"


class ModelRefused(LoanCrmError):
    """A version of a model may not take this step of its life, or not by this person."""

    code = "model_refused"


class StoredModelChanged(LoanCrmError):
    """A stored version is not what was trained: it scores nobody and is never promoted."""

    code = "stored_model_changed"


def refused_table(error: CsvRefusedError) -> TableFileRefused:
    """Return what is wrong with a table, in words."""
    return TableFileRefused(_words(error), reason=error.reason, **error.facts)


def _words(error: CsvRefusedError) -> Phrase:
    facts = error.facts
    match error.reason:
        case "ragged":
            message = _("Line %(line)s has %(found)s cells, the first line %(expected)s.")
            return message % facts
        case "names_twice":
            names = facts["names"]
            shown = ", ".join(map(str, names)) if isinstance(names, list) else ""
            return _("These column names come twice: %(names)s.") % {"names": shown}
        case "one_column":
            return _(
                "Each line of the file is one cell: cells are separated by , ; | tab or space."
            )
        case "empty":
            return _("The file has no rows.")
        case _:
            return _("The file is no text in UTF-8 or GB 18030.")
