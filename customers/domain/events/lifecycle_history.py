"""The stages that a customer went through: what `stage_of` would have said at every moment.

The history is a function of the set of facts alone. A fact that arrives late changes the past, and
facts in any order lead to the same stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from customers.domain.events.lifecycle import (
    LifecycleFacts,
    LifecyclePolicy,
    LifecycleStage,
    Occurrences,
    stage_of,
)


@dataclass(frozen=True, slots=True)
class LoanSpan:
    """When a loan was paid out, and when it ended; None while it is open."""

    disbursed_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StageFacts:
    """Everything that moves the stage of one customer.

    Attributes:
        known_from: When the customer was first known; a lead from then until the first fact.
        occurred: Times by event name, in any order.
    """

    known_from: datetime
    occurred: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    loans: Sequence[LoanSpan] = ()


@dataclass(frozen=True, slots=True)
class StageStay:
    """A stay in one stage; `left_at` is None for the present one."""

    stage: LifecycleStage
    entered_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """What is new at one moment; all None: only time has passed."""

    at: datetime
    event: str | None = None
    drawn_at: datetime | None = None
    is_opened: bool = False
    settled_at: datetime | None = None


_DEFAULT_POLICY = LifecyclePolicy()


def stage_history(
    facts: StageFacts, *, as_of: datetime, policy: LifecyclePolicy = _DEFAULT_POLICY
) -> tuple[StageStay, ...]:
    """Return the stays up to `as_of` in order, without gaps; the last one is open.

    The stage of the last stay is what `stage_of` says at `as_of`. Facts after `as_of` are not read.
    """
    steps = sorted(
        (step for step in _steps(facts, policy) if step.at <= as_of), key=lambda step: step.at
    )
    if not steps or facts.known_from < steps[0].at:
        steps.insert(0, _Step(facts.known_from))
    stays: list[StageStay] = []
    seen = LifecycleFacts()
    for at, group in groupby(steps, key=lambda step: step.at):
        for step in group:
            seen = _after(seen, step)
        stage = stage_of(seen, as_of=at, policy=policy)
        if not stays:
            stays.append(StageStay(stage, at))
        elif stays[-1].stage is not stage:
            stays[-1] = replace(stays[-1], left_at=at)
            stays.append(StageStay(stage, at))
    return tuple(stays)


def _steps(facts: StageFacts, policy: LifecyclePolicy) -> Iterator[_Step]:
    settled: list[datetime] = []
    for name, times in facts.occurred.items():
        yield from (_Step(at, event=name) for at in times)
        settled.extend(times)
    for loan in facts.loans:
        ended = loan.ended_at
        is_opened = ended is None or ended > loan.disbursed_at
        yield _Step(loan.disbursed_at, drawn_at=loan.disbursed_at, is_opened=is_opened)
        if ended is not None:
            yield _Step(max(ended, loan.disbursed_at), is_opened=is_opened, settled_at=ended)
            settled.append(ended)
    # The stage may change by itself when a pause has lasted long enough.
    for days in (policy.dormant_days, policy.churned_days):
        yield from (_Step(at + timedelta(days=days)) for at in settled)


def _after(seen: LifecycleFacts, step: _Step) -> LifecycleFacts:
    if step.event is not None:
        before = seen.occurrences.get(step.event)
        now = (
            Occurrences(before.count + 1, before.first_at, step.at)
            if before
            else Occurrences(1, step.at, step.at)
        )
        return replace(seen, occurrences={**seen.occurrences, step.event: now})
    if step.drawn_at is not None:
        return replace(
            seen,
            disbursed_loan_count=seen.disbursed_loan_count + 1,
            open_loan_count=seen.open_loan_count + step.is_opened,
            last_disbursed_at=step.drawn_at,
        )
    if step.settled_at is not None:
        last = seen.last_settled_at
        return replace(
            seen,
            open_loan_count=seen.open_loan_count - step.is_opened,
            last_settled_at=max(last, step.settled_at) if last else step.settled_at,
        )
    return seen
