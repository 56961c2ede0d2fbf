"""Stopping on harm: complaints, opt-outs, failures counted while a campaign runs.

A rate that is looked at after every batch crosses any fixed limit sooner or later by chance. Wald's
test says after each message which of two rates the counts speak for, with errors that hold however
often it is asked.
"""

from dataclasses import dataclass
from math import ceil, log


@dataclass(frozen=True, slots=True)
class HarmBound:
    """When a count of bad outcomes stops a campaign.

    Attributes:
        usual: The rate that is borne.
        harmful: The rate that must not go on.
        alpha: How often a campaign with the usual rate may be stopped wrongly.
        beta: How often one with the harmful rate may go on unnoticed.

    Raises:
        ValueError: Rates are not 0 < usual < harmful < 1, or an error rate is not in (0, 1).
    """

    usual: float
    harmful: float
    alpha: float = 0.05
    beta: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.usual < self.harmful < 1:
            msg = "rates must be 0 < usual < harmful < 1"
            raise ValueError(msg)
        if not 0 < self.alpha < 1 or not 0 < self.beta < 1:
            msg = "alpha and beta must be between 0 and 1"
            raise ValueError(msg)

    def stops_at(self, messages: int) -> int:
        """Return the least count of bad outcomes among so many messages that stops.

        Source: Wald 1945, Annals of Mathematical Statistics 16:117, acceptance of the harmful rate.
        """
        with_good = log((1 - self.harmful) / (1 - self.usual))
        with_bad = log(self.harmful / self.usual)
        needed = log((1 - self.beta) / self.alpha)
        return max(1, ceil((needed - messages * with_good) / (with_bad - with_good)))

    def is_reached(self, bad: int, messages: int) -> bool:
        """Return whether so many bad outcomes among so many messages stop the campaign."""
        return bad >= self.stops_at(messages)
