"""What marketing as a whole brought: everybody else against the global control group, by period."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from campaigns.domain.experiments.arms import ArmSums
from campaigns.domain.experiments.assignment import BUCKET_DIGITS
from campaigns.domain.experiments.global_control import ControlPeriod, periods
from campaigns.selectors.sending import global_control
from loancrm.kernel import clock
from loancrm.kernel.database.named_sql import statement

# Each reads everybody once.
MOST_PERIODS = 8
_NOBODY = ArmSums(people=0, total=0.0, total_of_squares=0.0)


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """One of the two groups of a period.

    Attributes:
        borrowers: Who drew a loan in the period.
        drawn: Sums of the principal that each person drew in it.
    """

    borrowers: int
    drawn: ArmSums


@dataclass(frozen=True, slots=True)
class PeriodResult:
    """Both groups of a period, by the loans drawn in it so far."""

    period: ControlPeriod
    last_day: date
    contact: ControlGroup
    control: ControlGroup


def load_results(*, today: date) -> list[PeriodResult]:
    """Return the periods with a group that have begun, the newest first (1 query a period, and 1).

    By intention to treat: everybody known by the last day is in one of the groups, written to or
    not, and a person with several records is in the control group where one of them is.
    """
    found = [each for each in periods(global_control.choices(), today) if each.share]
    return [_result(each, min(each.ends_on, today)) for each in found[:MOST_PERIODS]]


def _result(period: ControlPeriod, last_day: date) -> PeriodResult:
    midnight = datetime.combine(last_day + timedelta(days=1), time(0), clock.company_zone())
    parameters: dict[str, Any] = {
        "prefix": period.prefix,
        "bound": period.bound,
        "digits": BUCKET_DIGITS,
        "known_before": connection.ops.adapt_datetimefield_value(midnight),
        "first": period.starts_on.isoformat(),
        "last": last_day.isoformat(),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement("analytics", "global_control/groups"), parameters)
        groups = {
            bool(is_control): ControlGroup(yes, ArmSums(people, float(total), float(squares)))
            for is_control, people, yes, total, squares in cursor.fetchall()
        }
    nobody = ControlGroup(0, _NOBODY)
    return PeriodResult(period, last_day, groups.get(False, nobody), groups.get(True, nobody))
