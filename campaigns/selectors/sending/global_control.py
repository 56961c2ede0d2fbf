"""The choices about the global control group, as the gates and the reports read them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from campaigns.domain.experiments.global_control import ControlChoice, PeriodLength, period_at
from campaigns.domain.sending.eligibility import MessagePlan
from campaigns.models import GlobalControlChoice


def choices() -> tuple[ControlChoice, ...]:
    """Return all choices in the order in which they were made (1 query)."""
    rows = GlobalControlChoice.objects.order_by("pk")
    return tuple(
        ControlChoice(valid_from, share, PeriodLength(length), salt)
        for valid_from, share, length, salt in rows.values_list(
            "valid_from", "share", "period_length", "salt"
        )
    )


def held_out(
    customer_ids: Sequence[int],
    records: Mapping[int, Sequence[int]],
    plan: MessagePlan,
    now: datetime,
) -> set[int]:
    """Return who is in the group of the day, by any record of theirs (no query).

    Args:
        records: {customer: records that were merged into theirs}.
    """
    period = period_at(plan.control_choices, now.astimezone(plan.company_zone).date())
    if period is None or not period.share:
        return set()
    return {pk for pk in customer_ids if period.holds((pk, *records.get(pk, ())))}
