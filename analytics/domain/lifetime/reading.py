"""Read the rows of a file as purchases, as the summary of each customer, or as contracts."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from analytics.domain.lifetime.purchases import Purchase, PurchaseHistory
from analytics.domain.lifetime.vocabulary import PurchaseProblem

Row = tuple[int, Mapping[str, Any]]
_CUSTOMERS = ("customer_id", "customer", "external_id", "id", "master_id")
_DAYS = ("date", "day", "occurred_at", "purchased_at")
_AMOUNTS = ("amount", "dollar_value", "value", "monetary_value")
_STARTS = ("start", "started_on", "disbursed_on", "begin")
_ENDS = ("end", "ended_on", "settled_on")
_FREQUENCIES = ("x", "frequency", "repeats")
_RECENCIES = ("t_x", "recency", "t.x")
_AGES = ("T", "age", "T.cal")
_MEANS = ("zbar", "monetary_value", "mean_value", "m_x")


class PurchaseFileError(ValueError):
    """A file cannot be read; names the line and the column where it is one cell's fault."""

    def __init__(self, problem: PurchaseProblem, *, column: str = "", line: int = 0) -> None:
        """Keep what is wrong, and where."""
        super().__init__(problem.value)
        self.problem, self.column, self.line = problem, column, line


@dataclass(frozen=True, slots=True)
class PurchaseColumns:
    """What the columns of a file of purchases are called; empty for the usual names."""

    customer: str = ""
    day: str = ""
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of a customer.

    Attributes:
        ended_on: None while it runs.
        amount: What it brings a month.
    """

    customer: str
    started_on: date
    ended_on: date | None
    amount: float


def is_summary(names: Sequence[str]) -> bool:
    """Return whether columns are those of a summary: frequency, recency and age."""
    return all(_named(names, known, is_exact=True) for known in (_FREQUENCIES, _RECENCIES, _AGES))


def read_purchases(rows: Iterable[Row], columns: PurchaseColumns) -> Iterator[Purchase]:
    """Yield the purchases of a file; a time is taken by its day.

    Raises:
        PurchaseFileError: A column is missing, or a cell is empty, no date or no amount from 0.
    """
    names: tuple[str, str, str] | None = None
    for line, row in rows:
        if names is None:
            names = (
                _column(row, columns.customer, _CUSTOMERS),
                _column(row, columns.day, _DAYS),
                _column(row, columns.amount, _AMOUNTS),
            )
        customer, day, amount = names
        yield Purchase(_cell(row, customer, line), _day(row, day, line), _number(row, amount, line))
    if names is None:
        raise PurchaseFileError(PurchaseProblem.NO_ROWS)


def read_contracts(rows: Iterable[Row], columns: PurchaseColumns) -> Iterator[Contract]:
    """Yield the contracts of a file: first day, last day or an empty cell, amount a month.

    Raises:
        PurchaseFileError: A column is missing, a cell is no date or no amount from 0, or a contract
            ends before it begins.
    """
    for line, row in rows:
        start, end = _column(row, columns.day, _STARTS), _column(row, "", _ENDS)
        began = _day(row, start, line)
        ended = _day(row, end, line) if str(row.get(end) or "").strip() else None
        if ended is not None and ended < began:
            raise PurchaseFileError(
                PurchaseProblem.CONTRADICTION, column=f"{start}, {end}", line=line
            )
        customer = _cell(row, _column(row, columns.customer, _CUSTOMERS), line)
        amount = _number(row, _column(row, columns.amount, _AMOUNTS), line)
        yield Contract(customer, began, ended, amount)


def read_summary(rows: Iterable[Row]) -> PurchaseHistory:
    """Return the customers of a summary: x, t_x and T in weeks, and z̄ where there is one.

    Raises:
        PurchaseFileError: A cell is empty or no number from 0, a customer comes twice, or the
            figures of one contradict each other.
    """
    ids: list[str] = []
    table: list[tuple[float, float, float, float]] = []
    seen: set[str] = set()
    for line, row in rows:
        names = [str(name) for name in row]
        found = [_named(names, known, is_exact=True) for known in (_FREQUENCIES, _RECENCIES, _AGES)]
        mean = _named(names, _MEANS)
        numbers = [_number(row, name, line) for name in found]
        if numbers[1] > numbers[2] or (numbers[0] == 0) != (numbers[1] == 0):
            raise PurchaseFileError(
                PurchaseProblem.CONTRADICTION, column=", ".join(found), line=line
            )
        label = _cell(row, _column(row, "", _CUSTOMERS), line)
        if label in seen:
            raise PurchaseFileError(PurchaseProblem.CUSTOMER_TWICE, line=line)
        seen.add(label)
        ids.append(label)
        value = _number(row, mean, line) if mean and numbers[0] else 0.0
        table.append((numbers[0], numbers[1], numbers[2], value))
    if not ids:
        raise PurchaseFileError(PurchaseProblem.NO_ROWS)
    columns = np.array(table, dtype=np.float64).T
    return PurchaseHistory(tuple(ids), *columns)


def _named(names: Sequence[str], known: Sequence[str], *, is_exact: bool = False) -> str:
    """Return the first known name among a file's; `T` and `t_x` are told apart by their case."""
    for name in known:
        for given in names:
            if given == name or (not is_exact and given.casefold() == name.casefold()):
                return given
    return ""


def _column(row: Mapping[str, Any], asked: str, known: Sequence[str]) -> str:
    names = [str(name) for name in row]
    found = asked if asked in names else "" if asked else _named(names, known)
    if not found:
        raise PurchaseFileError(PurchaseProblem.COLUMN_MISSING, column=asked or known[0])
    return found


def _cell(row: Mapping[str, Any], column: str, line: int) -> str:
    value = row.get(column)
    text = "" if value is None else str(value).strip()
    if not text:
        raise PurchaseFileError(PurchaseProblem.CELL_EMPTY, column=column, line=line)
    return text


def _day(row: Mapping[str, Any], column: str, line: int) -> date:
    text = _cell(row, column, line)
    try:
        return date.fromisoformat(text[:10] if text[4:5] == "-" else text)
    except ValueError as err:
        raise PurchaseFileError(PurchaseProblem.NO_DATE, column=column, line=line) from err


def _number(row: Mapping[str, Any], column: str, line: int) -> float:
    text = _cell(row, column, line)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise PurchaseFileError(PurchaseProblem.NO_AMOUNT, column=column, line=line)
    return number
