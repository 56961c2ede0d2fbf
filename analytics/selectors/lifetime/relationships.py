"""How long borrowers stay, and what one who stays brings a month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Sum

from analytics.domain.lifetime.churn import WINDOW_DAYS
from customers.domain.fields.score_bands import CLV_SO_FAR
from customers.models import Score
from loancrm.kernel.database.named_sql import statement

MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Relationships:
    """From the first loan of a borrower to the end of the last, by months.

    Attributes:
        until: The last day of which it is known who has left: a window ago.
        spans: (months seen, whether it ended in the last of them, how many borrowers).
        margin: What a borrower brought a month on average, in CNY; None before anybody was valued.
    """

    until: date
    spans: Sequence[tuple[int, bool, int]]
    margin: float | None


def load_relationships(*, today: date, window_days: int = WINDOW_DAYS) -> Relationships:
    """Return the relationships (2 queries).

    One ends with the last settlement that nothing followed within the window, or with the first
    default. Who is in it at `until` is seen for whole months only.
    """
    until = today - timedelta(days=window_days)
    days = {"as_of": today.isoformat(), "until": until.isoformat()}
    loans = statement("analytics", "lifetime/loans")
    with connection.cursor() as cursor:
        cursor.execute(loans + statement("analytics", "lifetime/relationships"), days)
        rows = cursor.fetchall()
    spans = []
    for first, last, count in rows:
        months = _month(last or until.isoformat()) - _month(first)
        spans.append((months + 1, True, count) if last else (months, False, count))
    seen = sum(months * count for months, _is_over, count in spans)
    earned = Score.objects.filter(model_name=CLV_SO_FAR, is_latest=True).aggregate(
        total=Sum("value")
    )["total"]
    margin = None if earned is None or not seen else float(earned) / seen
    return Relationships(until, spans, margin)


def _month(text: str) -> int:
    return int(text[:4]) * MONTHS_A_YEAR + int(text[5:7])
