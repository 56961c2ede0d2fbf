"""What a rule selects before it is saved: exact count, masked sample, where people drop out."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from django.db import OperationalError, connection, transaction

from customers.domain.segments.ast import AllOf, Rule
from customers.domain.segments.evaluate import completed_years
from customers.domain.segments.explain import explain
from customers.domain.segments.scope import RuleScope
from customers.models import Customer
from customers.selectors import reach
from customers.selectors.profile import page
from customers.selectors.segments import narrowing, query
from customers.selectors.segments.narrowing import Narrowed
from loancrm.kernel.database import bulk
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

SAMPLE_SIZE = 10
TIMEOUT_SECONDS = 20.0
_STEPS_OF_SQLITE = 20_000
_QUERY_CANCELLED = "57014"
_TICKET = re.compile(r"[0-9a-f]{32}")


class PreviewTooSlow(LoanCrmError):
    """A preview was given up because it took longer than allowed."""

    code = "segment_preview_too_slow"


@dataclass(frozen=True, slots=True)
class SampleCustomer:
    """One customer of a sample; the name is masked."""

    customer_id: int
    public_id: str
    masked_name: str
    gender: str
    age_years: int | None
    city: str
    lifecycle_stage: str


@dataclass(frozen=True, slots=True)
class NarrowingStep:
    """How many are left after one more top-level condition.

    Attributes:
        path: Of the condition in the rule's JSON; empty for the customers at the start.
        left_count: Customers who satisfy this and every earlier condition.
        lost_count: Customers that this condition took away.
    """

    path: str
    sentence: str
    left_count: int
    lost_count: int


@dataclass(frozen=True, slots=True)
class SegmentPreview:
    """Result of a preview, exact at the scope's moment."""

    count: int
    sentence: str
    sample: tuple[SampleCustomer, ...]
    waterfall: tuple[NarrowingStep, ...] = ()
    reachable: Mapping[str, int] | None = None


def count(rule: Rule, scope: RuleScope, *, timeout_seconds: float = TIMEOUT_SECONDS) -> int:
    """Return how many customers satisfy a rule.

    Raises:
        PreviewTooSlow: The database needed longer than allowed.
    """
    with _time_limit(timeout_seconds):
        return query.customers_matching(rule, scope).count()


def preview(
    rule: Rule,
    scope: RuleScope,
    *,
    language: str,
    sample_size: int = SAMPLE_SIZE,
    is_detailed: bool = False,
    timeout_seconds: float = TIMEOUT_SECONDS,
    ticket: str = "",
) -> SegmentPreview:
    """Return count and sample, in detail also the waterfall and who can be reached.

    The waterfall starts with all customers and ends at the count; whom a channel reaches,
    `selectors.reach` says.

    Args:
        ticket: By which `cancel` can stop it meanwhile.

    Raises:
        PreviewTooSlow: The database needed longer than allowed for all of it, or it was cancelled.
    """
    conditions = rule.rules if isinstance(rule, AllOf) else (rule,)
    with (
        _time_limit(timeout_seconds, ticket),
        narrowing.narrowed(conditions, scope, is_stepwise=is_detailed) as left,
    ):
        counts = left.left_counts
        return SegmentPreview(
            count=counts[-1],
            sentence=explain(rule, catalogue=scope.catalogue, language=language),
            sample=_sample(left.first_ids(sample_size), scope.today),
            waterfall=_waterfall(rule, scope, counts, language) if is_detailed else (),
            reachable=_reachable(left, scope) if is_detailed else None,
        )


def _waterfall(
    rule: Rule, scope: RuleScope, left_counts: Sequence[int], language: str
) -> tuple[NarrowingStep, ...]:
    """Return how each top-level condition of an "and" narrows; any other rule is one step."""
    is_all = isinstance(rule, AllOf)
    steps = rule.rules if isinstance(rule, AllOf) else (rule,)
    start = explain(AllOf(()), catalogue=scope.catalogue, language=language)
    return (
        NarrowingStep("", start, left_counts[0], 0),
        *(
            NarrowingStep(
                f"rules[{position}]" if is_all else "",
                explain(condition, catalogue=scope.catalogue, language=language),
                left,
                before - left,
            )
            for position, (condition, (before, left)) in enumerate(
                zip(steps, pairwise(left_counts), strict=True)
            )
        ),
    )


def _sample(customer_ids: Sequence[int], today: date) -> tuple[SampleCustomer, ...]:
    return tuple(
        SampleCustomer(
            customer_id=customer.pk,
            public_id=str(customer.public_id),
            masked_name=page.masked_name(customer),
            gender=customer.gender,
            age_years=completed_years(customer.birth_date, today) if customer.birth_date else None,
            city=customer.city,
            lifecycle_stage=customer.lifecycle_stage,
        )
        for customer in Customer.objects.filter(pk__in=customer_ids).order_by("pk")
    )


def _reachable(left: Narrowed, scope: RuleScope) -> dict[str, int]:
    """Return how many each channel reaches."""
    return {
        channel.value: reach.reached_points(channel, among=left.ids, now=scope.now).count()
        for channel in reach.COUNTED
    }


def ticket(user_id: str, number: str) -> str:
    """Return the ticket of one user's preview; empty when the number is not one."""
    return f"preview:{user_id}:{number}" if _TICKET.fullmatch(number) else ""


def cancel(ticket: str) -> bool:
    """Stop a preview wherever it runs; return whether it was still running.

    On SQLite nothing is stopped: there only the time limit ends a preview.
    """
    if not ticket or connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(bool_or(pg_cancel_backend(pid)), FALSE) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database() AND state = 'active'",
            [ticket],
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def _time_limit(seconds: float, ticket: str = "") -> Iterator[None]:
    """Let the database give up on what takes longer; SQLite is stopped by its progress hook."""
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    milliseconds = max(int(seconds * 1000), 1)  # 0 would mean no limit
                    bulk.read_widely()
                    cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")
                    if ticket:
                        cursor.execute("SELECT set_config('application_name', %s, TRUE)", [ticket])
                    yield
                    cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
                    cursor.execute("SET LOCAL application_name TO DEFAULT")
                return
            deadline = time.monotonic() + seconds
            handle = connection.connection
            handle.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_OF_SQLITE)
            try:
                yield
            finally:
                handle.set_progress_handler(None, 0)
    except OperationalError as error:
        is_cancelled = getattr(error.__cause__, "sqlstate", None) == _QUERY_CANCELLED
        if not is_cancelled and str(error) != "interrupted":
            raise
        raise PreviewTooSlow(
            _("Counting took longer than %(seconds)s seconds; narrow the rule and try again.")
            % {"seconds": seconds},
            seconds=seconds,
        ) from error
