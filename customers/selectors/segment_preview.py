"""What a rule selects before it is saved: exact count, masked sample, where people drop out."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from customers.domain.consent import ConsentChannel, Purpose
from customers.domain.contact import ContactKind, ContactStatus
from customers.domain.segments.ast import AllOf, ConsentCondition, Rule
from customers.domain.segments.evaluate import completed_years
from customers.domain.segments.explain import explain
from customers.domain.segments.scope import Scope
from customers.models import ContactPoint, Customer
from customers.selectors import profile, segment_query
from loancrm.kernel.errors import LoanCrmError

SAMPLE_SIZE = 10
TIMEOUT_SECONDS = 20.0
_CONTACTS: Mapping[ConsentChannel, ContactKind] = {
    ConsentChannel.SMS: ContactKind.PHONE,
    ConsentChannel.EMAIL: ContactKind.EMAIL,
}
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
class Preview:
    """Result of a preview, exact at the scope's moment."""

    count: int
    sentence: str
    sample: tuple[SampleCustomer, ...]
    waterfall: tuple[NarrowingStep, ...] = ()
    reachable: Mapping[str, int] | None = None


def count(rule: Rule, scope: Scope, *, timeout_seconds: float = TIMEOUT_SECONDS) -> int:
    """Return how many customers satisfy a rule.

    Raises:
        PreviewTooSlow: The database needed longer than allowed.
    """
    with _time_limit(timeout_seconds):
        return segment_query.customers_matching(rule, scope).count()


def preview(
    rule: Rule,
    scope: Scope,
    *,
    language: str,
    sample_size: int = SAMPLE_SIZE,
    is_detailed: bool = False,
    timeout_seconds: float = TIMEOUT_SECONDS,
    ticket: str = "",
) -> Preview:
    """Return count and sample, in detail also the waterfall and who can be reached.

    The waterfall starts with all customers and ends at the count. Reachable on a channel means an
    active contact point and a consent to marketing that stands.

    Args:
        ticket: By which `cancel` can stop it meanwhile.

    Raises:
        PreviewTooSlow: The database needed longer than allowed for all of it, or it was cancelled.
    """
    with _time_limit(timeout_seconds, ticket):
        matching = segment_query.customers_matching(rule, scope)
        return Preview(
            count=matching.count(),
            sentence=explain(rule, catalogue=scope.catalogue, language=language),
            sample=_sample(matching, scope.today, sample_size),
            waterfall=waterfall(rule, scope, language=language) if is_detailed else (),
            reachable=_reachable(matching, scope) if is_detailed else None,
        )


def waterfall(rule: Rule, scope: Scope, *, language: str) -> tuple[NarrowingStep, ...]:
    """Return how each top-level condition of an "and" narrows what the earlier ones left.

    One count a condition; any other rule is one step.
    """
    rules = rule.rules if isinstance(rule, AllOf) else (rule,)
    remaining: QuerySet[Customer] = Customer.objects.live()
    left = remaining.count()
    start = explain(AllOf(()), catalogue=scope.catalogue, language=language)
    steps = [NarrowingStep("", start, left, 0)]
    for position, condition in enumerate(rules):
        remaining = remaining.filter(segment_query.to_q(condition, scope))
        still = remaining.count()
        steps.append(
            NarrowingStep(
                f"rules[{position}]" if isinstance(rule, AllOf) else "",
                explain(condition, catalogue=scope.catalogue, language=language),
                still,
                left - still,
            )
        )
        left = still
    return tuple(steps)


def _sample(matching: QuerySet[Customer], today: date, size: int) -> tuple[SampleCustomer, ...]:
    return tuple(
        SampleCustomer(
            customer_id=customer.pk,
            public_id=str(customer.public_id),
            masked_name=profile.masked_name(customer),
            gender=customer.gender,
            age_years=completed_years(customer.birth_date, today) if customer.birth_date else None,
            city=customer.city,
            lifecycle_stage=customer.lifecycle_stage,
        )
        for customer in matching.order_by("pk")[:size]
    )


def _reachable(matching: QuerySet[Customer], scope: Scope) -> dict[str, int]:
    reached = {}
    for channel, kind in _CONTACTS.items():
        points = ContactPoint.objects.filter(
            customer=OuterRef("pk"), kind=kind, status=ContactStatus.ACTIVE, is_primary=True
        )
        consent = ConsentCondition(channel, Purpose.MARKETING)
        allowed = Q(Exists(points)) & segment_query.to_q(consent, scope)
        reached[channel.value] = matching.filter(allowed).count()
    return reached


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
