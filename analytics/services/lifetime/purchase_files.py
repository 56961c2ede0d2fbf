"""Fit the models of lifetime to a file of purchases, and value every customer in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.lifetime.bg_nbd import BgNbd, NoConvergenceError, fit_bg_nbd
from analytics.domain.lifetime.customer_value import ValueTerms, customer_values, purchase_churn
from analytics.domain.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma
from analytics.domain.lifetime.purchases import Purchase, PurchaseHistory, later_repeats, summarise
from analytics.domain.lifetime.reading import (
    PurchaseColumns,
    PurchaseFileError,
    is_summary,
    read_purchases,
    read_summary,
)
from analytics.domain.lifetime.vocabulary import PurchaseProblem
from analytics.labels import lifetime as labels
from customers.domain.reading.records import Record
from customers.services.events import from_file
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

Floats = npt.NDArray[np.float64]
# Of fewer repeat customers parameters can be told, but not believed.
FEW_REPEATERS = 100


class PurchasesRefused(LoanCrmError):
    """A file does not say who bought when, or too little for a model."""

    code = "purchases_refused"


@dataclass(frozen=True, slots=True)
class LaterPurchases:
    """What was expected after the cut, and what came.

    Attributes:
        weeks: From the cut to the last purchase of the file.
    """

    weeks: float
    expected: float
    actual: int


@dataclass(frozen=True, slots=True)
class FittedValues:
    """The models and what they say of every customer, in the order of `customers`.

    Attributes:
        until: End of the observation; None for a summary, which does not say.
        spending: None where no repeat purchase has a value, or the values fit no model.
        churn: 1 − P(alive); NaN for one-time customers.
        expected: PurchaseHistory in the coming `horizon_weeks`.
        values: NaN without a model of spending.
        warnings: Codes of what is to be known before the figures are used.
    """

    customers: PurchaseHistory
    until: date | None
    model: BgNbd
    spending: GammaGamma | None
    horizon_weeks: float
    terms: ValueTerms
    alive: Floats
    churn: Floats
    expected: Floats
    mean_values: Floats
    values: Floats
    later: LaterPurchases | None
    warnings: tuple[str, ...]


def fit_purchase_file(
    *,
    path: Path,
    columns: PurchaseColumns,
    terms: ValueTerms,
    until: date | None = None,
    horizon_weeks: float = 39.0,
) -> FittedValues:
    """Fit BG/NBD and Gamma-Gamma to a file of purchases or a summary of them, by weeks.

    Reads nothing of the database.

    Args:
        columns: Of a file of purchases.
        until: Purchases after this day are not learned from but compared with what was expected;
            the day of the last purchase when None. A summary takes none.
        horizon_weeks: Over which purchases are expected.

    Raises:
        RowsRefused: The file cannot be read as a table.
        PurchasesRefused: It does not say who bought when, or too little for a model.
    """
    with from_file.opened(path) as records:
        try:
            customers, end, later = _read(records.rows, columns, until)
            return _fitted(customers, end, later, terms, horizon_weeks)
        except PurchaseFileError as err:
            raise refusal_of(err) from err
        except NoConvergenceError as err:
            raise refusal_of(PurchaseFileError(PurchaseProblem.NO_FIT)) from err


def _read(
    rows: Iterator[Record], columns: PurchaseColumns, until: date | None
) -> tuple[PurchaseHistory, date | None, tuple[float, Mapping[str, int]] | None]:
    sound = sound_rows(rows)
    first = next(sound, None)
    if first is None:
        raise PurchaseFileError(PurchaseProblem.NO_ROWS)
    listed = chain([first], sound)
    if is_summary([str(name) for name in first[1]]):
        if until is not None:
            raise PurchaseFileError(PurchaseProblem.NO_DAYS_TO_CUT)
        return read_summary(listed), None, None
    purchases: list[Purchase] = list(read_purchases(listed, columns))
    last = max(purchase.day for purchase in purchases)
    end = until or last
    customers = summarise(purchases, until=end)
    if not customers.ids:
        raise PurchaseFileError(PurchaseProblem.CUT_TOO_EARLY)
    if end >= last:
        return customers, end, None
    seen = set(customers.ids)
    later = later_repeats((p for p in purchases if p.customer in seen), after=end, until=last)
    return customers, end, ((last - end).days / 7, later)


def _fitted(
    customers: PurchaseHistory,
    until: date | None,
    later: tuple[float, Mapping[str, int]] | None,
    terms: ValueTerms,
    horizon_weeks: float,
) -> FittedValues:
    model = fit_bg_nbd(customers)
    try:
        spending: GammaGamma | None = fit_gamma_gamma(customers)
    except NoConvergenceError:
        spending = None
    unknown = np.full(len(customers.ids), np.nan)
    compared = None
    if later is not None:
        expected = float(model.expected(customers, weeks=later[0]).sum())
        compared = LaterPurchases(later[0], expected, sum(later[1].values()))
    return FittedValues(
        customers=customers,
        until=until,
        model=model,
        spending=spending,
        horizon_weeks=horizon_weeks,
        terms=terms,
        alive=model.alive(customers),
        churn=purchase_churn(customers, model),
        expected=model.expected(customers, weeks=horizon_weeks),
        mean_values=spending.expected(customers) if spending else unknown,
        values=customer_values(customers, model=model, spending=spending, terms=terms)
        if spending
        else unknown,
        later=compared,
        warnings=_warnings(customers, spending),
    )


def _warnings(customers: PurchaseHistory, spending: GammaGamma | None) -> tuple[str, ...]:
    found = []
    if spending is None:
        found.append("no_spending_model")
    else:
        if not spending.is_independent:
            found.append("value_depends_on_frequency")
        if spending.population_mean is None:
            found.append("mean_value_infinite")
    if (customers.repeats > 0).sum() < FEW_REPEATERS:
        found.append("few_repeat_customers")
    if (customers.repeats == 0).any():
        found.append("one_time_customers")
    return tuple(found)


def sound_rows(rows: Iterator[Record]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows with their lines.

    Raises:
        PurchaseFileError: One cannot be read.
    """
    for row in rows:
        if row.flaw:
            raise PurchaseFileError(PurchaseProblem.ROW_DAMAGED, line=row.line)
        yield row.line, row


def refusal_of(error: PurchaseFileError) -> PurchasesRefused:
    """Return what is wrong with a file in words, with the line."""
    words = labels.purchase_problem(error.problem, column=error.column)
    if error.line:
        words = _("%(reason)s (line %(line)s)") % {"reason": words, "line": error.line}
    problem = error.problem.value
    return PurchasesRefused(words, problem=problem, column=error.column, line=error.line)
