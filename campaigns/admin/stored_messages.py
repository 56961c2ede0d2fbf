"""The messages of a campaign as they are stored, each with its fallback, for the form."""

from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.models import Campaign, Step, Variant


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of a stored campaign with the fallback that follows it."""

    step: Step
    variants: Sequence[Variant]
    fallback: Step | None
    fallback_variants: Sequence[Variant]


def stored_messages(campaign: Campaign) -> list[StoredMessage]:
    """Return a campaign's messages in their order."""
    steps = list(
        campaign.steps.select_related("touchpoint__channel")
        .prefetch_related("touchpoint__variants__contents")
        .order_by("position")
    )
    found: list[StoredMessage] = []
    for index, step in enumerate(steps):
        if step.is_fallback:
            continue
        after = steps[index + 1] if index + 1 < len(steps) else None
        fallback = after if after is not None and after.is_fallback else None
        found.append(
            StoredMessage(step, _by_key(step), fallback, _by_key(fallback) if fallback else ())
        )
    return found


def _by_key(step: Step) -> list[Variant]:
    return sorted(step.touchpoint.variants.all(), key=lambda variant: variant.key)
