"""Where the rows of a file are, in words that hold at every state of its import."""

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _

from customers.domain.imports.states import ImportState
from customers.models import ImportBatch
from customers.selectors.imports.quality import balance

# The whole file was read and judged.
_JUDGED = {ImportState.DONE, ImportState.STOPPED, ImportState.UNDOING, ImportState.UNDONE}
_BROKEN_OFF = {ImportState.FAILED, ImportState.CANCELLED}


def account_of(batch: ImportBatch) -> str:
    """Return the sum of a file's rows, as far as its import has come."""
    found = balance(batch)
    if not found.rows_in:
        return _nothing_read(batch)
    numbers = {
        "rows": intcomma(found.rows_in),
        "ok": intcomma(found.rows_ok),
        "fixed": intcomma(found.rows_fixed),
        "rest": intcomma(found.rows_quarantined),
        "open": intcomma(found.rows_open),
    }
    if batch.is_dry_run:
        text = _("%(rows)s rows = %(ok)s that would be taken + %(rest)s that would be refused")
        rest = _("%(open)s not checked")
    else:
        text = _(
            "%(rows)s rows = %(ok)s taken as they came + %(fixed)s repaired "
            "+ %(rest)s in quarantine"
        )
        is_over = batch.shown_state in _BROKEN_OFF
        rest = _("%(open)s not written") if is_over else _("%(open)s not written yet")
    return (f"{text} + {rest}" if found.rows_open else text) % numbers


def no_finding(batch: ImportBatch) -> str:
    """Return what is said where nothing was found wrong."""
    return _verdict(batch, _("Nothing to complain about."), _("Nothing to complain about so far."))


def none_rejected(batch: ImportBatch) -> str:
    """Return what is said where no row was rejected."""
    return _verdict(batch, _("No row was rejected."), _("No row was rejected so far."))


def about_the_check(batch: ImportBatch) -> str:
    """Return what a file that is only checked does to the customers; empty for an import."""
    if not batch.is_dry_run:
        return ""
    if batch.state == ImportState.DONE:
        return _("Only a check: no customer was changed.")
    return _("Only a check: no customer will be changed.")


def _verdict(batch: ImportBatch, judged: str, so_far: str) -> str:
    if batch.state in _JUDGED:
        return judged
    return so_far if batch.row_count else _nothing_read(batch)


def _nothing_read(batch: ImportBatch) -> str:
    if batch.state in _JUDGED:
        return _("The file has no rows.")
    return _("No row was read.") if batch.shown_state in _BROKEN_OFF else _("Not read yet.")
