"""Long work that is over is removed after a while, with what was stored about it alone."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from loancrm.kernel.models import Work, WorkState
from loancrm.kernel.work.kinds import all_kinds

_OVER: Final = (WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED)
_PAGE: Final = 500


def remove_old_work(*, now: datetime) -> int:
    """Remove work that ended longer ago than `LOANCRM_WORK_DAYS`; return how much.

    Its subject goes with it. Kinds whose subject people go on asking about, such as an import, keep
    theirs. Page by page, each in a transaction of its own.
    """
    kinds = [kind.name for kind in all_kinds().values() if not kind.is_kept]
    ended_before = now - timedelta(days=settings.LOANCRM_WORK_DAYS)
    old = Work.objects.filter(
        kind__in=kinds, state__in=[state.value for state in _OVER], finished_at__lt=ended_before
    ).order_by("pk")
    removed = 0
    while page := list(old.values_list("pk", flat=True)[:_PAGE]):
        # Once more by its state: somebody may try failed work again at this very moment.
        old.order_by().filter(pk__in=page).delete()
        removed += len(page)
    return removed
