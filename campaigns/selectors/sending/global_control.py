"""The choices about the global control group, as the gates and the reports read them."""

from campaigns.domain.experiments.global_control import ControlChoice, PeriodLength
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
