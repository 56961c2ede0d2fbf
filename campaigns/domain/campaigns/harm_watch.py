"""What a running campaign is watched for, and when it is too much."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from campaigns.domain.experiments.harm import HarmBound


class Harm(StrEnum):
    """What harms people or a provider account, counted a message handed over."""

    FAILURES = "failures"
    COMPLAINTS = "complaints"
    OPT_OUTS = "opt_outs"


class PauseReason(StrEnum):
    """Why a campaign paused by itself: its own messages, or all of a provider account it uses."""

    FAILURES = "failures"
    COMPLAINTS = "complaints"
    OPT_OUTS = "opt_outs"
    ACCOUNT_FAILURES = "account_failures"
    ACCOUNT_COMPLAINTS = "account_complaints"
    ACCOUNT_OPT_OUTS = "account_opt_outs"


@dataclass(frozen=True, slots=True)
class HarmCounts:
    """What became of messages since somebody looked last.

    Attributes:
        answered: Messages of which it is known whether the provider took them.
        sent: Those that were taken.
        bad: How many of each harm there were; failures among `answered`, the others among `sent`.
    """

    answered: int
    sent: int
    bad: Mapping[Harm, int]

    def out_of(self, harm: Harm) -> int:
        """Return how many messages a harm is counted among."""
        return self.answered if harm is Harm.FAILURES else self.sent


@dataclass(frozen=True, slots=True)
class HarmFound:
    """A harm that has reached its bound, with the counts that say so."""

    harm: Harm
    bad: int
    messages: int


def found_harm(counts: HarmCounts, bounds: Mapping[Harm, HarmBound]) -> HarmFound | None:
    """Return the first harm whose count stops what is counted; None while it may go on.

    Args:
        bounds: A harm without a bound is not watched.
    """
    for harm in Harm:
        bad, messages = counts.bad.get(harm, 0), counts.out_of(harm)
        if bad and harm in bounds and bounds[harm].is_reached(bad, messages):
            return HarmFound(harm, bad, messages)
    return None


def pause_reason(harm: Harm, *, of_account: bool) -> PauseReason:
    """Return how a pause for a harm is stored."""
    return PauseReason(f"account_{harm}" if of_account else harm.value)
