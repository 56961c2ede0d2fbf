"""How the demo's people react to a message: fixed by the seed, with a known true effect."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from analytics.domain.demo import plan


@dataclass(frozen=True, slots=True)
class Temper:
    """What a campaign does to people.

    Attributes:
        base_rate: Share who reach the goal within the window without any message.
        effects: {variant: what a delivered message adds to that share}.
        click_rates: {variant: share of the reached who click without reaching the goal}.
        window_days: Goal window; reactions fall into its first two thirds.
    """

    base_rate: float
    effects: Mapping[str, float]
    click_rates: Mapping[str, float]
    window_days: int


@dataclass(frozen=True, slots=True)
class DemoReaction:
    """What one person does; delays count from the moment she was (or would have been) reached."""

    click_after: timedelta | None
    goal_after: timedelta | None


# The acquisition SMS works, the thank-you mail does not, the win-back works a little.
TEMPERS: Mapping[str, Temper] = {
    plan.ACQUISITION: Temper(0.035, {"A": 0.08, "B": 0.12}, {"A": 0.07, "B": 0.1}, 7),
    plan.RETENTION: Temper(0.05, {}, {"A": 0.11, "B": 0.09}, 30),
    plan.WIN_BACK: Temper(0.045, {"A": 0.06, "B": 0.05}, {"A": 0.05, "B": 0.05}, 30),
}


def share(seed: int, *parts: str) -> float:
    """Return a number in [0, 1) that depends on the seed and the words alone."""
    text = "\x1f".join((str(seed), *parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest()) / 2**56


def appetites(logins: Mapping[str, int]) -> dict[str, float]:
    """Return how much more, or less, than others each person is inclined to react.

    Who uses the app more reacts more: between 0.3 and 1.7 times as much, by rank; 1 on average, so
    that the true effect of a campaign stays what its temper says. People with as many logins are
    ranked by name.
    """
    order = sorted(logins, key=lambda person: (logins[person], person))
    return {person: 0.3 + 1.4 * (place + 0.5) / len(order) for place, person in enumerate(order)}


def react(
    seed: int, slug: str, person: str, *, variant: str, is_reached: bool, appetite: float = 1.0
) -> DemoReaction:
    """Return one person's reaction to one campaign.

    The same draw decides with and without a message, so a message never keeps anybody from what
    she would have done anyway.

    Args:
        seed: The demo's seed.
        slug: Which campaign.
        person: The customer's external id.
        variant: Key of the variant assigned to her.
        is_reached: A message was delivered to her.
        appetite: How much more than others she is inclined to reach the goal.
    """
    temper = TEMPERS[slug]
    effect = temper.effects.get(variant, 0.0) if is_reached else 0.0
    reaches_goal = share(seed, slug, person, "goal") < appetite * (temper.base_rate + effect)
    clicks = is_reached and share(seed, slug, person, "click") < (
        0.75 if reaches_goal else temper.click_rates.get(variant, 0.0)
    )
    click_after = timedelta(minutes=2 + 170 * share(seed, slug, person, "click delay"))
    days = temper.window_days * 2 / 3 * share(seed, slug, person, "goal delay") ** 2
    return DemoReaction(
        click_after=click_after if clicks else None,
        goal_after=timedelta(hours=4, days=days) if reaches_goal else None,
    )
