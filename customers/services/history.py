"""How long past values are kept; the database itself writes them (`kernel.changes.history`)."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import models

from customers.models import PastAttribute, PastProfile

_PAGE: Final = 5_000


def clear_history(*, now: datetime, page: int = _PAGE) -> int:
    """Remove values that ended longer ago than `LOANCRM_HISTORY_DAYS`; return how many rows.

    Page by page, each in a transaction of its own.
    """
    ended_before = now - timedelta(days=settings.LOANCRM_HISTORY_DAYS)
    removed = 0
    kept: tuple[type[models.Model], ...] = (PastAttribute, PastProfile)
    for model in kept:
        rows: models.QuerySet[Any] = model._default_manager.filter(ended_at__lt=ended_before)  # noqa: SLF001 - of either table
        rows = rows.order_by("ended_at")
        while ids := list(rows.values_list("pk", flat=True)[:page]):
            removed += rows.order_by().filter(pk__in=ids).delete()[0]
    return removed
