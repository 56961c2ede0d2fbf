"""Correcting a campaign that was launched: its states, and what it may change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from campaigns.domain.campaigns.spec import StepSpec
from campaigns.domain.content.approval import ApprovedPart


class CorrectionState(StrEnum):
    """How far a correction is."""

    EDITING = "editing"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    APPLIED = "applied"
    DISCARDED = "discarded"


OPEN_CORRECTIONS = (CorrectionState.EDITING, CorrectionState.IN_REVIEW, CorrectionState.APPROVED)
# Fields of a campaign; beside them the texts of its variants.
CORRECTABLE = frozenset({"end_at", "budget_amount"})
# Who is chosen, who gets which variant, through what, and what for: frozen with the audience.
FIXED_PARTS = (ApprovedPart.CHANNELS, ApprovedPart.PURPOSE, ApprovedPart.EXPERIMENT)


@dataclass(frozen=True, slots=True)
class StepShape:
    """What a correction leaves of a message: everything but its texts.

    Attributes:
        variants: Key, weight, and whether it has the message's text.
    """

    channel: str
    is_fallback: bool
    wait_minutes: int
    condition: str
    variants: tuple[tuple[str, int, bool], ...]


def shapes_of(steps: Sequence[StepSpec]) -> Iterator[StepShape]:
    """Yield what a correction must leave as it is of messages as they are described."""
    for number, step in enumerate(steps):
        variants = sorted((one.key, one.weight, one.follows_message) for one in step.variants)
        wait = step.wait_minutes if number else 0
        yield StepShape(step.channel, step.is_fallback, wait, step.condition.value, tuple(variants))


def changed_fixed_parts(
    before: Mapping[str, str], after: Mapping[str, str], *, runs_again: bool
) -> tuple[ApprovedPart, ...]:
    """Return what a correction would approve anew although it may not change it.

    Args:
        before: The digests of what was approved last.
        after: Those of the campaign as it stands.
        runs_again: Whether the segment is asked again for later runs; of one run it is frozen.
    """
    fixed = (*FIXED_PARTS, ApprovedPart.AUDIENCE) if runs_again else FIXED_PARTS
    return tuple(part for part in fixed if before.get(part) != after.get(part))
