"""Columns of people as they were at a time of their own: nothing later enters.

Every row has its own time. An event counts if it happened by then, a loan if it was paid out on an
earlier day, the book by the last month that had ended. Of an attribute, and of what the profile
says, the value counts that was in force then.
Rows are read by some thousand people at a time, in a fixed number of queries each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from django.db.models import Max, Sum

from analytics.domain.features import FeatureTable, Floats
from analytics.models import LoanMonthEnd
from analytics.selectors.discovery_features import ACTIVE, COUNTED, WINDOW_DAYS
from analytics.selectors.modelling.columns import PREFIX, ModelColumn
from customers.domain.events.event import EventName
from customers.domain.values.spells import Spell, value_at
from customers.models import Application, Event, Loan
from customers.selectors.spells import Spells, attribute_spells, profile_spells
from loancrm.kernel import clock

Ids: TypeAlias = npt.NDArray[np.int64]
PEOPLE_AT_ONCE = 2_000
_DAY = 86_400_000_000
_WINDOW = WINDOW_DAYS * _DAY
# A person's place and a time in one sortable number: 2,000 people need 11 bits, 2^51 microseconds
# after 1970 last until 2041.
_SPAN = 1 << 51
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST_DPD = 1_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """People at times; one person may have several rows.

    Attributes:
        customer_ids: Ascending.
        times: Microseconds since 1970 in UTC.
    """

    customer_ids: Ids
    times: Ids


def microseconds(moment: datetime) -> int:
    """Return a moment as whole microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(microsecond: int) -> datetime:
    """Return the moment that so many microseconds since 1970 are."""
    return _EPOCH + microsecond * _MICROSECOND


def load_table(
    rows: Rows, columns: Sequence[ModelColumn], *, takes_values_of_today: bool = False
) -> FeatureTable:
    """Return the columns of all rows, in their order."""
    parts = list(stream_tables(rows, columns, takes_values_of_today=takes_values_of_today))
    names = tuple(column.name for column in columns)
    words: dict[str, tuple[str, ...]] = {}
    values = np.vstack([part.values for part in parts]) if parts else np.empty((0, len(names)))
    for at, column in enumerate(columns):
        if column.is_category:
            words[column.name], values[:, at] = _joined(parts, column.name, at)
    return FeatureTable(rows.customer_ids, names, values, words)


def stream_tables(
    rows: Rows,
    columns: Sequence[ModelColumn],
    *,
    takes_values_of_today: bool = False,
) -> Iterator[FeatureTable]:
    """Yield the columns part by part; of a category each part has words of its own."""
    distinct = np.unique(rows.customer_ids)
    for start in range(0, len(distinct), PEOPLE_AT_ONCE):
        people = distinct[start : start + PEOPLE_AT_ONCE]
        first = np.searchsorted(rows.customer_ids, people[0], side="left")
        last = np.searchsorted(rows.customer_ids, people[-1], side="right")
        part = _Part(
            people,
            rows.customer_ids[first:last],
            rows.times[first:last],
            is_today=takes_values_of_today,
        )
        yield part.table(columns)


def _joined(parts: Sequence[FeatureTable], name: str, at: int) -> tuple[tuple[str, ...], Floats]:
    """Return the words of a category of all parts, sorted, and the column in their positions."""
    words = tuple(sorted({word for part in parts for word in part.words[name]}))
    found = []
    for part in parts:
        places = np.array([words.index(word) for word in part.words[name]] + [0], dtype=np.float64)
        column = part.values[:, at]
        is_known = ~np.isnan(column)
        placed = np.full(len(column), np.nan)
        placed[is_known] = places[column[is_known].astype(np.intp)]
        found.append(placed)
    return words, np.concatenate(found) if found else np.empty(0)


class _Part:
    """Some thousand people and their rows."""

    def __init__(self, people: Ids, customer_ids: Ids, times: Ids, *, is_today: bool) -> None:
        self.people = people
        self.customer_ids = customer_ids
        self.times = times
        self.is_today = is_today
        self.place = np.searchsorted(people, customer_ids).astype(np.int64)
        zone = clock.company_zone()
        moments = {t: moment_of(int(t)) for t in np.unique(times)}
        self.moments = [moments[t] for t in times]
        days = {t: moment.astimezone(zone).date() for t, moment in moments.items()}
        self.days = np.array([days[t].toordinal() for t in times], dtype=np.int64)

    def table(self, columns: Sequence[ModelColumn]) -> FeatureTable:
        """Return the columns of the part."""
        sources = {column.source for column in columns}
        found: dict[str, Floats] = {}
        words: dict[str, tuple[str, ...]] = {}
        if "events" in sources:
            found |= self._events()
        if "loans" in sources:
            found |= self._loans()
        if "loan_book" in sources:
            found |= self._book()
        if "applications" in sources:
            found |= self._applications(words)
        found |= self._attributes([c for c in columns if c.source == "attributes"], words)
        found |= self._profile([c for c in columns if c.source == "profile"], words)
        names = tuple(column.name for column in columns)
        values = np.column_stack([found[name] for name in names])
        return FeatureTable(
            self.customer_ids, names, values, {n: words[n] for n in names if n in words}
        )

    def _positions(self, ids: Ids, times: Ids) -> tuple[Ids, npt.NDArray[np.intp]]:
        """Return sorted keys of person and time, and the order that sorts them."""
        keys = np.searchsorted(self.people, ids).astype(np.int64) * _SPAN + times
        order = np.argsort(keys, kind="stable")
        return keys[order], order

    def _until(self, keys: Ids, times: Ids) -> Ids:
        """Return how many of the sorted keys are of the row's person, or before, up to a time."""
        return np.searchsorted(keys, self.place * _SPAN + np.maximum(times, 0), side="right")

    def _starts(self, keys: Ids) -> Ids:
        return np.searchsorted(keys, self.place * _SPAN, side="left")

    def _events(self) -> dict[str, Floats]:
        rows = list(
            Event.objects.filter(
                customer_id__in=self.people.tolist(),
                type__name__in=ACTIVE,
                occurred_at__gt=moment_of(int(self.times.min()) - _WINDOW),
                occurred_at__lte=moment_of(int(self.times.max())),
            )
            .order_by()
            .values_list("customer_id", "type__name", "occurred_at", "amount")
        )
        ids, names, moments, amounts = _columns(rows, 4)
        owners = np.array(ids, dtype=np.int64)
        times = np.array([microseconds(each) for each in moments], dtype=np.int64)
        kinds = np.array(names, dtype=object)
        sums = np.array([float(each or 0) for each in amounts], dtype=np.float64)
        found = {}
        for name in COUNTED:
            chosen = np.asarray(kinds == name.value, dtype=bool)
            keys, order = self._positions(owners[chosen], times[chosen])
            last, first = self._until(keys, self.times), self._until(keys, self.times - _WINDOW)
            found[f"{name.value}_count"] = (last - first).astype(np.float64)
            if name is EventName.REPAYMENT_MADE:
                running = np.concatenate([[0.0], np.cumsum(sums[chosen][order])])
                found["repayment_amount"] = running[last] - running[first]
        keys, _order = self._positions(owners, times)
        last, first = self._until(keys, self.times), self._until(keys, self.times - _WINDOW)
        days = np.full(len(self.times), float(WINDOW_DAYS))
        is_there = last > first
        latest = keys[last[is_there] - 1] % _SPAN
        days[is_there] = (self.times[is_there] - latest) // _DAY
        return {**found, "days_since_active": days}

    def _loans(self) -> dict[str, Floats]:
        rows = list(
            Loan.objects.filter(customer_id__in=self.people.tolist())
            .order_by()
            .values_list("customer_id", "disbursed_on", "principal_amount")
        )
        ids, days, amounts = _columns(rows, 3)
        # A loan of the same day is not known yet: it may be the very one that is asked for.
        keys, order = self._positions(np.array(ids, dtype=np.int64), _ordinals(days))
        last, first = self._until(keys, self.days - 1), self._starts(keys)
        lent = np.array([float(each) for each in amounts], dtype=np.float64)
        running = np.concatenate([[0.0], np.cumsum(lent[order])])
        months = np.full(len(self.days), np.nan)
        is_there = last > first
        months[is_there] = (self.days[is_there] - keys[first[is_there]] % _SPAN) // 30
        return {
            "loan_count": (last - first).astype(np.float64),
            "principal_amount": running[last] - running[first],
            "months_since_loan": months,
        }

    def _book(self) -> dict[str, Floats]:
        """Return what was owed, and the worst state, at the last month that had ended by the row.

        Somebody whose book is not derived has neither.
        """
        rows = list(
            LoanMonthEnd.objects.filter(loan__customer_id__in=self.people.tolist())
            .order_by()
            .values_list("loan__customer_id", "month")
            .annotate(owed=Sum("closing_cents"), late=Max("dpd_days"))
        )
        ids, months, owed, late = _columns(rows, 4)
        keys, order = self._positions(np.array(ids, dtype=np.int64), _ordinals(months))
        last, first = self._until(keys, self.days - 1), self._starts(keys)
        is_there = last > first
        cents = np.array(owed, dtype=np.float64)[order]
        places = keys // _SPAN
        worst = (
            np.maximum.accumulate(
                places * _MOST_DPD + np.array(late, dtype=np.int64)[order], dtype=np.int64
            )
            if len(keys)
            else keys
        )
        outstanding = np.full(len(self.days), np.nan)
        days_late = np.full(len(self.days), np.nan)
        outstanding[is_there] = cents[last[is_there] - 1] / 100
        days_late[is_there] = worst[last[is_there] - 1] % _MOST_DPD
        return {"outstanding_amount": outstanding, "max_dpd_days": days_late}

    def _applications(self, words: dict[str, tuple[str, ...]]) -> dict[str, Floats]:
        rows = list(
            Application.objects.filter(customer_id__in=self.people.tolist())
            .order_by()
            .values_list("customer_id", "submitted_at", "amount", "channel", "product__code")
        )
        ids, moments, amounts, channels, products = _columns(rows, 5)
        times = np.array([microseconds(each) for each in moments], dtype=np.int64)
        keys, order = self._positions(np.array(ids, dtype=np.int64), times)
        last, first = self._until(keys, self.times), self._starts(keys)
        is_there = last > first
        asked = np.array([np.nan if a is None else float(a) for a in amounts])[order]
        found = {"application_amount": np.full(len(self.times), np.nan)}
        found["application_amount"][is_there] = asked[last[is_there] - 1]
        for name, cells in (("application_channel", channels), ("application_product", products)):
            known = tuple(sorted({cell for cell in cells if cell}))
            at = {word: place for place, word in enumerate(known)}
            placed = np.array([at[c] if c else np.nan for c in cells], dtype=np.float64)[order]
            column = np.full(len(self.times), np.nan)
            column[is_there] = placed[last[is_there] - 1]
            words[name], found[name] = known, column
        return found

    def _attributes(
        self, columns: Sequence[ModelColumn], words: dict[str, tuple[str, ...]]
    ) -> dict[str, Floats]:
        if not columns:
            return {}
        names = {column.name: column.name.removeprefix(PREFIX) for column in columns}
        held = attribute_spells(customer_ids=self.people.tolist(), names=names.values())
        return {
            column.name: self._cells(held[names[column.name]], column, words) for column in columns
        }

    def _profile(
        self, columns: Sequence[ModelColumn], words: dict[str, tuple[str, ...]]
    ) -> dict[str, Floats]:
        if not columns:
            return {}
        held = profile_spells(customer_ids=self.people.tolist())
        return {column.name: self._cells(held[column.name], column, words) for column in columns}

    def _cells(
        self, held: Spells, column: ModelColumn, words: dict[str, tuple[str, ...]]
    ) -> Floats:
        """Return what was in force at each row's time, words as positions."""
        cells: list[Any] = [
            self._known(held.get(int(key), ()), moment)
            for key, moment in zip(self.customer_ids, self.moments, strict=True)
        ]
        if column.is_category:
            known = tuple(sorted({cell for cell in cells if cell is not None}))
            at = {word: place for place, word in enumerate(known)}
            words[column.name] = known
            cells = [None if cell is None else at[cell] for cell in cells]
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)

    def _known(self, held: Sequence[Spell[Any]], moment: datetime) -> Any:
        value = value_at(held, moment)
        # Only the last spell may be in force today.
        if value is None and self.is_today and held and held[-1].ended is None:
            return held[-1].value
        return value


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> Sequence[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) if rows else [()] * count


def _ordinals(days: Sequence[date]) -> Ids:
    return np.array([day.toordinal() for day in days], dtype=np.int64)
