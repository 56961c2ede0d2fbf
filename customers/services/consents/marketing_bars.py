"""Marketing to customers stops while an early warning about them is open."""

from collections.abc import Collection

from customers.domain.values.person import MarketingStatus
from customers.models import Customer
from loancrm.kernel.acting import Act


def write_at_risk(act: Act, *, barred: Collection[int], freed: Collection[int]) -> tuple[int, int]:
    """Bar customers from marketing, and free others of whom no warning is open any more.

    Who is barred for another reason (in dispute, in hardship, deceased …) stays so: a warning never
    replaces it, and its end never lifts it. For services that have asked for the permission.

    Returns:
        How many were barred and freed.
    """
    rows = Customer.objects.filter(pk__in=barred, marketing_status=MarketingStatus.OPEN)
    stopped = rows.update(marketing_status=MarketingStatus.AT_RISK, updated_at=act.now)
    rows = Customer.objects.filter(pk__in=freed, marketing_status=MarketingStatus.AT_RISK)
    return stopped, rows.update(marketing_status=MarketingStatus.OPEN, updated_at=act.now)
