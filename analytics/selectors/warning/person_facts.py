"""The facts of many people that signals look at, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, F, Max, Min, Q, Sum

from analytics.domain.warning.facts import PersonFacts, ReportFacts, ScoredBand, WatchedLoan
from analytics.selectors.warning.champions import champion_scores
from customers.domain.credit.bureau import RECENT_DAYS, RISK_PURPOSES
from customers.domain.events.event import EventName
from customers.models import BureauPull, ContactPoint, Event, Inquiry, Loan, Score
from customers.selectors import loan_books
from customers.selectors.credit.facts import closed_sources
from customers.selectors.loan_books import NOT_BOOKED, LoanBook
from loancrm.kernel import clock

# Older facts change no signal: the longest window, and the months by which it is measured.
_LOOK_BACK_DAYS = 400
# What the person does; what is done to people says nothing about them.
_ACTIVE = (
    EventName.APP_LOGIN,
    EventName.PAGE_VIEWED,
    EventName.LINK_CLICKED,
    EventName.CALL_MADE,
    EventName.APPLICATION_STARTED,
    EventName.APPLICATION_SUBMITTED,
    EventName.REPAYMENT_MADE,
)
_PLACES = Decimal("0.000001")
_EMPTY = LoanBook()


def load_person_facts(*, customer_ids: Collection[int], on: date) -> dict[int, PersonFacts]:
    """Return the facts of these people up to the end of a day of the company's zone (9 queries).

    Args:
        customer_ids: At most some thousands.
    """
    until = datetime.combine(on + timedelta(days=1), time(), clock.company_zone())
    since = until - timedelta(days=_LOOK_BACK_DAYS)
    loans = _loans(customer_ids, on)
    reports = _reports(customer_ids, since.date(), on)
    scores = _scores(customer_ids, since, until)
    credited = _credited(customer_ids, since, until)
    changed = _changed_contacts(customer_ids, until)
    active = _active(customer_ids, until)
    return {
        key: PersonFacts(
            customer_id=key,
            loans=tuple(loans[key]),
            reports=tuple(reports[key]),
            scores=tuple(scores[key]),
            credited_on=tuple(credited[key]),
            contact_changed_on=changed.get(key),
            last_active_on=active.get(key),
        )
        for key in customer_ids
    }


def _loans(customer_ids: Collection[int], on: date) -> Mapping[int, list[WatchedLoan]]:
    rows = list(
        Loan.objects.filter(
            customer_id__in=customer_ids, disbursed_on__lte=on, is_state_reported=False
        )
        .exclude(status__in=NOT_BOOKED)
        .order_by("disbursed_on", "pk")
    )
    books = loan_books.load_books(loan_ids=[loan.pk for loan in rows])
    found: dict[int, list[WatchedLoan]] = defaultdict(list)
    for loan in rows:
        book = books.get(loan.pk, _EMPTY)
        found[loan.customer_id].append(
            WatchedLoan(
                loan_id=loan.pk,
                disbursed_on=loan.disbursed_on,
                schedule=book.schedule,
                payments=book.payments,
                closed_on=loan.closed_on,
                charged_off_on=loan.charged_off_on,
            )
        )
    return found


def _reports(
    customer_ids: Collection[int], since: date, on: date
) -> Mapping[int, list[ReportFacts]]:
    """Return what reports that were pulled for credit said on the day that they were pulled."""
    is_open = Q(tradelines__closed_on=None) | Q(tradelines__closed_on__gt=F("pulled_on"))
    has_limit = Q(tradelines__limit_amount__gt=0)
    pulls = (
        BureauPull.objects.filter(
            customer_id__in=customer_ids,
            purpose__in=RISK_PURPOSES,
            pulled_on__gte=since,
            pulled_on__lte=on,
        )
        .exclude(vendor__in=closed_sources(on=on))
        .annotate(
            used=Sum("tradelines__balance_amount", filter=is_open & has_limit),
            limit=Sum("tradelines__limit_amount", filter=is_open & has_limit),
        )
        .order_by("pulled_on", "pk")
    )
    asked = dict(
        Inquiry.objects.filter(
            pull__customer_id__in=customer_ids,
            inquired_on__gt=F("pull__pulled_on") - timedelta(days=RECENT_DAYS),
            inquired_on__lte=F("pull__pulled_on"),
        )
        .values_list("pull_id")
        .annotate(n=Count("pk"))
    )
    found: dict[int, list[ReportFacts]] = defaultdict(list)
    for pull in pulls:
        used = (pull.used / pull.limit).quantize(_PLACES) if pull.limit else None
        found[pull.customer_id].append(
            ReportFacts(pull.pulled_on, used, int(asked.get(pull.pk, 0)))
        )
    return found


def _scores(
    customer_ids: Collection[int], since: datetime, until: datetime
) -> Mapping[int, list[ScoredBand]]:
    """Return the bands of scores of which the bands are letters, A the best."""
    champions = champion_scores(until=until)
    rows = (
        Score.objects.filter(
            customer_id__in=customer_ids, scored_at__gte=since, scored_at__lt=until
        )
        .order_by("scored_at", "pk")
        .values_list("customer_id", "model_name", "version", "scored_at", "band")
    )
    zone = clock.company_zone()
    found: dict[int, list[ScoredBand]] = defaultdict(list)
    for key, model, version, scored_at, band in rows:
        if len(band) == 1 and "A" <= band <= "Z":
            day = scored_at.astimezone(zone).date()
            is_champion = (model, version) in champions
            found[key].append(
                ScoredBand(model, day, ord(band) - ord("A"), version, is_champion=is_champion)
            )
    return found


def _credited(
    customer_ids: Collection[int], since: datetime, until: datetime
) -> Mapping[int, list[date]]:
    rows = (
        Event.objects.filter(
            customer_id__in=customer_ids,
            type__name=EventName.ACCOUNT_CREDITED,
            occurred_at__gte=since,
            occurred_at__lt=until,
        )
        .order_by("occurred_at")
        .values_list("customer_id", "occurred_at")
    )
    zone = clock.company_zone()
    found: dict[int, list[date]] = defaultdict(list)
    for key, at in rows:
        found[key].append(at.astimezone(zone).date())
    return found


def _changed_contacts(customer_ids: Collection[int], until: datetime) -> dict[int, date]:
    """Return when a number or address was added last to earlier ones of its kind."""
    rows = (
        ContactPoint.objects.filter(customer_id__in=customer_ids, created_at__lt=until)
        .values_list("customer_id", "kind")
        .annotate(first=Min("created_at"), last=Max("created_at"))
        .order_by()
    )
    zone = clock.company_zone()
    found: dict[int, date] = {}
    for key, _kind, first, last in rows:
        if last > first:
            day = last.astimezone(zone).date()
            found[key] = max(day, found.get(key, day))
    return found


def _active(customer_ids: Collection[int], until: datetime) -> dict[int, date]:
    rows = (
        Event.objects.filter(
            customer_id__in=customer_ids, type__name__in=_ACTIVE, occurred_at__lt=until
        )
        .values_list("customer_id")
        .annotate(last=Max("occurred_at"))
        .order_by()
    )
    zone = clock.company_zone()
    return {key: last.astimezone(zone).date() for key, last in rows}
