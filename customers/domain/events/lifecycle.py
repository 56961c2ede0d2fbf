"""The stage of a customer, derived from the set of what happened and when.

The stage depends on counts and on first and last times, so facts that arrive late, out of order
or twice lead to the same stage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from customers.domain.events.event import EventName


class LifecycleStage(StrEnum):
    """Where a customer stands between the first contact and the last repayment."""

    LEAD = "lead"
    APPLICANT = "applicant"
    APPROVED = "approved"
    ACTIVE = "active"
    REPAID = "repaid"
    DORMANT = "dormant"
    CHURNED = "churned"
    WON_BACK = "won_back"


@dataclass(frozen=True, slots=True)
class Occurrences:
    """How often one thing happened to one customer, and when first and last."""

    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """After how many days without a loan a customer counts as dormant and as churned."""

    dormant_days: int = 90
    churned_days: int = 365


@dataclass(frozen=True, slots=True)
class LifecycleFacts:
    """What the stage is derived from: occurrences by event name, loans taken out and still open."""

    occurrences: Mapping[str, Occurrences] = field(default_factory=dict)
    disbursed_loan_count: int = 0
    open_loan_count: int = 0
    last_disbursed_at: datetime | None = None
    last_settled_at: datetime | None = None


_DEFAULT_POLICY = LifecyclePolicy()


def stage_of(
    facts: LifecycleFacts, *, as_of: datetime, policy: LifecyclePolicy = _DEFAULT_POLICY
) -> LifecycleStage:
    """Return the stage at `as_of`; facts after `as_of` must not be handed in.

    Loan rows and loan events describe the same loans, so the larger count of each wins. A customer
    who borrows again after a pause of at least `dormant_days` is won back while that loan is open.
    """
    seen = facts.occurrences
    disbursed = max(_count(seen, EventName.LOAN_DISBURSED), facts.disbursed_loan_count)
    if disbursed:
        return _borrower_stage(facts, disbursed, as_of=as_of, policy=policy)
    approved = seen.get(EventName.APPLICATION_APPROVED)
    declined = seen.get(EventName.APPLICATION_DECLINED)
    if approved and (declined is None or declined.last_at < approved.last_at):
        return LifecycleStage.APPROVED
    applied = (
        EventName.APPLICATION_SUBMITTED,
        EventName.APPLICATION_APPROVED,
        EventName.APPLICATION_DECLINED,
    )
    has_applied = any(name in seen for name in applied)
    return LifecycleStage.APPLICANT if has_applied else LifecycleStage.LEAD


def _borrower_stage(
    facts: LifecycleFacts, disbursed: int, *, as_of: datetime, policy: LifecyclePolicy
) -> LifecycleStage:
    drawn_at = _latest(facts, EventName.LOAN_DISBURSED, facts.last_disbursed_at)
    settled_at = _latest(facts, EventName.LOAN_SETTLED, facts.last_settled_at)
    settled = _count(facts.occurrences, EventName.LOAN_SETTLED)
    is_open = facts.open_loan_count > 0 or (not facts.disbursed_loan_count and settled < disbursed)
    if is_open or settled_at is None:
        pause = drawn_at - settled_at if drawn_at and settled_at else timedelta(0)
        has_paused = pause >= timedelta(days=policy.dormant_days)
        return LifecycleStage.WON_BACK if has_paused else LifecycleStage.ACTIVE
    idle = as_of - settled_at
    if idle >= timedelta(days=policy.churned_days):
        return LifecycleStage.CHURNED
    if idle >= timedelta(days=policy.dormant_days):
        return LifecycleStage.DORMANT
    return LifecycleStage.REPAID


def _count(seen: Mapping[str, Occurrences], name: EventName) -> int:
    return seen[name].count if name in seen else 0


def _latest(facts: LifecycleFacts, name: EventName, other: datetime | None) -> datetime | None:
    times = [other] if other else []
    if name in facts.occurrences:
        times.append(facts.occurrences[name].last_at)
    return max(times, default=None)
