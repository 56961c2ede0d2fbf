"""What a rule would have been worth: alerts of the past against what came of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from analytics.domain.rates import Proportion, wilson


@dataclass(frozen=True, slots=True)
class BacktestChoices:
    """What to replay.

    Attributes:
        first: First day looked at.
        until: Last day of which the facts are used.
        step_days: Days between two looks.
        horizon_days: Within so many days after an alert the default has to come.
        default_days: Days past due that are a default; a charge-off always is one.
    """

    first: date
    until: date
    step_days: int = 30
    horizon_days: int = 180
    default_days: int = 60

    @property
    def days(self) -> list[date]:
        """Return the days that are looked at."""
        count = (self.until - self.first).days // self.step_days
        return [self.first + timedelta(days=self.step_days * n) for n in range(count + 1)]

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {**asdict(self), "first": str(self.first), "until": str(self.until)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "BacktestChoices":
        """Return the choices that wrote this."""
        days = {name: date.fromisoformat(content[name]) for name in ("first", "until")}
        return cls(**{**content, **days})


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """How a rule did on replayed history.

    Attributes:
        precision: Alerts that were followed by a default within the horizon ÷ all alerts that
            have had so long.
        recall: Defaults that had an alert within the horizon before ÷ all defaults.
        open_count: Alerts that are too young to be judged.
        median_lead_days: Days from an alert that was right to the default; None without any.
    """

    rule: str
    precision: Proportion
    recall: Proportion
    open_count: int
    median_lead_days: int | None


def judge(
    rule: str,
    alerts: Collection[tuple[int, date]],
    defaults: Mapping[int, date],
    *,
    horizon_days: int,
    until: date,
) -> RuleRecord:
    """Compare the alerts of a rule with the first days of default.

    An alert on or after the day of default says nothing new and counts as wrong; the first alert of
    a person counts, because later ones find out nothing.

    Args:
        alerts: (customer, day of the alert).
        defaults: First day of default of those who defaulted.
        horizon_days: Within so many days after an alert the default has to come.
        until: The last day of which the facts are known.
    """
    first: dict[int, date] = {}
    for key, day in sorted(alerts, key=lambda pair: pair[1]):
        first.setdefault(key, day)
    right: list[int] = []
    judged = waiting = 0
    for key, day in first.items():
        default = defaults.get(key)
        lead = None if default is None else (default - day).days
        if lead is not None and 0 < lead <= horizon_days:
            right.append(lead)
            judged += 1
        elif (until - day).days < horizon_days and (default is None or default > until):
            waiting += 1
        else:
            judged += 1
    known = {key: day for key, day in defaults.items() if day <= until}
    return RuleRecord(
        rule=rule,
        precision=wilson(len(right), judged),
        recall=wilson(
            sum(1 for key in first if _is_right(first[key], known.get(key), horizon_days)),
            len(known),
        ),
        open_count=waiting,
        median_lead_days=_median(right),
    )


def _is_right(day: date, default: date | None, horizon_days: int) -> bool:
    return default is not None and 0 < (default - day).days <= horizon_days


def _median(values: Sequence[int]) -> int | None:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else None
