"""The only reader of the system clock."""

import json
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings


@lru_cache(maxsize=4)
def _offset(path: str, _changed_ns: int) -> timedelta:
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    return timedelta(seconds=content["offset_seconds"])


def _demo_offset() -> timedelta:
    """Return how far the demo clock stands from the real one; zero without a demo clock."""
    path = settings.LOANCRM_DEMO_CLOCK
    if not path:
        return timedelta(0)
    return _offset(path, Path(path).stat().st_mtime_ns)


def now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.fromtimestamp(time.time(), tz=UTC) + _demo_offset()


def company_zone() -> ZoneInfo:
    """Return the lender's own time zone."""
    return ZoneInfo(settings.TIME_ZONE)


def today(zone: ZoneInfo | None = None) -> date:
    """Return the calendar date in a zone, the company's by default."""
    return now().astimezone(zone or company_zone()).date()
