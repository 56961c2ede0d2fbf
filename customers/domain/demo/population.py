"""The demo's population: people with their loans, events and consents, the same for a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

from customers.domain.demo import activity, lending, people
from customers.domain.demo.activity import DemoConsent, DemoEvent
from customers.domain.demo.lending import LendingHistory
from customers.domain.demo.people import DemoPerson
from customers.domain.demo.ties import DemoTies, draw_ties
from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.loans.application import ApplicationStatus

RISK_MODEL = "application_risk"
RISK_MODEL_VERSION = "2025.1"
# After this long without a visit a customer who owes nothing counts as dormant.
DORMANT_DAYS = 120
_SCORE_BANDS = ((645, "A"), (620, "B"), (595, "C"), (570, "D"))


@dataclass(frozen=True, slots=True)
class RiskScore:
    """Points on a scale where 20 double the odds of being good; more is better."""

    points: Decimal
    band: str


@dataclass(frozen=True, slots=True)
class Story:
    """One person with everything the lender knows."""

    person: DemoPerson
    history: LendingHistory
    events: tuple[DemoEvent, ...]
    consents: tuple[DemoConsent, ...]
    stage: LifecycleStage
    score: RiskScore | None
    ties: DemoTies


def generate(*, count: int, seed: int, today: date, first: int = 0) -> Iterator[Story]:
    """Yield `count` stories as known at the end of `today`.

    Story n depends on the seed, n and `today` only, so a larger population begins with the
    smaller one. `first` leaves out those before it.
    """
    for serial in range(first, first + count):
        rng = Random(f"{seed}:{serial}")  # noqa: S311 - made-up people, not secrets
        yield _draw_story(rng, serial=serial, seed=seed, today=today)


def _draw_story(rng: Random, *, serial: int, seed: int, today: date) -> Story:
    person = people.draw_person(rng, serial=serial, today=today)
    history = lending.draw_history(rng, person, today=today)
    events = activity.draw_events(rng, person, history, today=today)
    return Story(
        person=person,
        history=history,
        events=events,
        consents=activity.draw_consents(rng, person, today=today),
        stage=_stage(history, events, today),
        score=_draw_score(rng, person) if history.applications else None,
        ties=draw_ties(person, seed=seed),
    )


def _stage(history: LendingHistory, events: tuple[DemoEvent, ...], today: date) -> LifecycleStage:
    if not history.applications:
        return LifecycleStage.LEAD
    if any(loan.state.settled_date is None for loan in history.loans):
        return LifecycleStage.ACTIVE
    if history.loans:
        silent_days = (today - events[-1].occurred_at.date()).days
        return LifecycleStage.DORMANT if silent_days > DORMANT_DAYS else LifecycleStage.REPAID
    approved = history.applications[-1].status is ApplicationStatus.APPROVED
    return LifecycleStage.APPROVED if approved else LifecycleStage.APPLICANT


def _draw_score(rng: Random, person: DemoPerson) -> RiskScore:
    # 600 points at odds of 10 to 1; the model sees the true risk through noise.
    seen = person.risk + rng.gauss(0, 0.5)
    points = round(600 + 20 / 0.6931 * (-seen - 2.3026))
    band = next((band for limit, band in _SCORE_BANDS if points >= limit), "E")
    return RiskScore(Decimal(points), band)
