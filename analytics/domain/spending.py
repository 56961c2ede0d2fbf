"""How a person spends, from the money that goes out of and into their account month by month."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import linear_regression

MONTHS = 12
# Below this many months a line through them says nothing.
MIN_MONTHS = 3
# Pay arrives a little earlier or later around weekends and holidays.
PAY_TOLERANCE_DAYS = 2
MIN_PAY_SHARE = 0.6
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Spent:
    """What went out in one month for one category, less refunds, in CNY."""

    month: date
    category: str
    amount: float


@dataclass(frozen=True, slots=True)
class DailyIncome:
    """What came in on one day, in CNY."""

    day: date
    amount: float


@dataclass(frozen=True, slots=True)
class Spending:
    """The habits of one person.

    Attributes:
        monthly_amount: Mean spent a month, in CNY.
        trend_rate: By which part of that the spending grows from month to month; None below three
            months or without spending.
        shares: Category → part of the spending, the largest first; they add up to 1.
        pay_day: Day of the month on which pay arrives; None where no day stands out.
    """

    monthly_amount: float
    trend_rate: float | None
    shares: Mapping[str, float]
    pay_day: int | None


def spending(
    *, spent: Sequence[Spent], received: Sequence[DailyIncome], until: date
) -> Spending | None:
    """Return the habits that follow from the months before a day's month; None without spending.

    The months counted run from the first in which anything happened, at most twelve, to the last
    complete one; a month in which nothing was spent counts as zero.

    Args:
        spent: Months are given by their first day. Blank categories count as `other`.
        received: In any order.
        until: The month of this day is not complete and not counted.
    """
    end = until.replace(day=1)
    months = [_months_back(end, back) for back in range(MONTHS, 0, -1)]
    inside = [item for item in spent if months[0] <= item.month < end]
    credits_ = [item for item in received if months[0] <= item.day < end]
    if not inside:
        return None
    first = min([i.month for i in inside] + [i.day.replace(day=1) for i in credits_])
    counted = [month for month in months if month >= first]
    by_month: dict[date, float] = defaultdict(float)
    by_category: dict[str, float] = defaultdict(float)
    for item in inside:
        by_month[item.month] += item.amount
        by_category[item.category or OTHER] += item.amount
    totals = [by_month[month] for month in counted]
    return Spending(
        monthly_amount=sum(totals) / len(totals),
        trend_rate=_trend(totals),
        shares=_shares(by_category),
        pay_day=pay_day(credits_),
    )


def pay_day(received: Iterable[DailyIncome]) -> int | None:
    """Return the day of the month around which the largest credit of a month usually arrives.

    The day that lies within two days of that credit in most months; of equals the one that is met
    exactly most often, then the earliest. It has to hold in at least three months and in 60 % of
    those with a credit. Days 29 to 31 mean the last day of a shorter month.
    """
    largest: dict[date, DailyIncome] = {}
    for item in received:
        if item.amount <= 0:
            continue
        month = item.day.replace(day=1)
        known = largest.get(month)
        if known is None or (item.amount, known.day) > (known.amount, item.day):
            largest[month] = item
    days = [item.day for item in largest.values()]
    exact = Counter(day.day for day in days)
    best = max(
        range(1, 32),
        key=lambda candidate: (
            sum(_is_near(day, candidate) for day in days),
            exact[candidate],
            -candidate,
        ),
    )
    count = sum(_is_near(day, best) for day in days)
    return best if count >= max(MIN_MONTHS, MIN_PAY_SHARE * len(days)) else None


def _is_near(day: date, candidate: int) -> bool:
    """Return whether a day lies near this day of its own month or of the months beside it."""
    around = (_months_back(day.replace(day=1), back) for back in (-1, 0, 1))
    return any(
        abs((day - _day_of(month, candidate)).days) <= PAY_TOLERANCE_DAYS for month in around
    )


def _day_of(month: date, candidate: int) -> date:
    last = _months_back(month, -1) - timedelta(days=1)
    return month.replace(day=min(candidate, last.day))


def _trend(totals: Sequence[float]) -> float | None:
    mean = sum(totals) / len(totals)
    if len(totals) < MIN_MONTHS or mean <= 0:
        return None
    return linear_regression(range(len(totals)), totals).slope / mean


def _shares(by_category: Mapping[str, float]) -> dict[str, float]:
    # What was refunded more than spent is no habit.
    positive = {name: amount for name, amount in by_category.items() if amount > 0}
    total = sum(positive.values())
    order = sorted(positive.items(), key=lambda item: (-item[1], item[0]))
    return {name: amount / total for name, amount in order}


def _months_back(month: date, count: int) -> date:
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)
