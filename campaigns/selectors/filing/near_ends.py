"""When approvals of providers end, and which of them people have to see to."""

from datetime import date, datetime

from campaigns.domain.filing.filing import FilingKind, FilingStatus, ends_on, is_near
from campaigns.models import Filing
from campaigns.selectors.filing import standing


def end_of(row: Filing) -> date | None:
    """Return the day from which an approved filing is no longer good; None where none is known."""
    if row.status != FilingStatus.APPROVED:
        return None
    used_at = max(filter(None, [row.last_used_at, row.decided_at]), default=None)
    is_signature = row.kind == FilingKind.SIGNATURE
    return ends_on(
        used_on=standing.today_of(used_at) if used_at is not None else None,
        idle_days=row.channel.filing_idle_days if is_signature else None,
        expires_on=row.expires_on,
    )


def count(*, now: datetime) -> int:
    """Return how many approvals end soon, in one query: there are few."""
    today = standing.today_of(now)
    rows = Filing.objects.filter(status=FilingStatus.APPROVED).select_related("channel")
    return sum(is_near(end_of(row), today=today) for row in rows)
