"""Collection: from the first day past due on, within hours, and not too often in a day.

Source: 催收工作指引(试行), China Banking Association, 2026-01-30: nothing from 22:00 to 08:00, at
most 6 unanswered tries a day and contact, nobody but the debtor, no new loan.
"""

from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

FIRST_DPD_DAY = 1
OPENS, CLOSES = time(8, 0), time(22, 0)
MAX_TRIES = 6


def unanswered_tries(
    tries: Iterable[datetime], *, answered_at: datetime | None, now: datetime, zone: ZoneInfo
) -> int:
    """Return how many tries of the person's own day are still unanswered.

    Args:
        tries: When collection was sent, over all channels.
        answered_at: When the person answered last; earlier tries are answered.
        zone: The person's own, or the company's where that is not known.
    """
    today = now.astimezone(zone).date()
    return sum(
        1
        for at in tries
        if at.astimezone(zone).date() == today and (answered_at is None or at > answered_at)
    )
