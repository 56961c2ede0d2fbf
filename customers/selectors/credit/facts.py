"""What is known of many people's credit on a day: reports in use, money a month, bought values."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from customers.domain.consents.consent import Purpose
from customers.domain.credit.affordability import FlowKind, MonthlyFlow
from customers.domain.credit.bureau import (
    BureauMeasures,
    PullPurpose,
    ReportedLine,
    measures,
)
from customers.domain.sources import SourceTerms, Standing, standing
from customers.models import (
    BureauPull,
    DataSource,
    IncomeFlow,
    Inquiry,
    Tradeline,
    VendorValue,
)


@dataclass(frozen=True, slots=True)
class BoughtValue:
    """A vendor's value that may be used on the day.

    Attributes:
        may_market: The vendor's contract covers marketing.
    """

    name: str
    number: Decimal | None
    text: str
    vendor: str
    may_market: bool


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """What is known of one person.

    Attributes:
        bureau: By the purposes it may be used for: measures of the newest report in use.
    """

    flows: Sequence[MonthlyFlow] = ()
    bureau: Mapping[frozenset[PullPurpose], BureauMeasures] = field(default_factory=dict)
    bought: Mapping[str, BoughtValue] = field(default_factory=dict)


def load_credit_facts(
    *,
    customer_ids: Collection[int],
    on: date,
    purposes: Sequence[frozenset[PullPurpose]],
) -> dict[int, CreditFacts]:
    """Return the facts of these people on a day, in six queries.

    Of several reports in use the newest counts, and of those of one day the last that came: two
    bureaus tell of the same accounts. What is dated later than the day, has run out by then, or
    comes from a source that is switched off or whose contract is not in force, is not used.

    Args:
        customer_ids: At most some thousands.
        on: A day in the company's zone.
        purposes: For each set, measures of reports that were pulled for one of its purposes.
    """
    terms_of = {source.name: source.terms for source in DataSource.objects.all()}
    closed = _closed(terms_of, on)
    flows = load_flows(customer_ids=customer_ids)
    bureau = _bureau(customer_ids, on, purposes, closed)
    bought: dict[int, dict[str, BoughtValue]] = defaultdict(dict)
    rows = (
        VendorValue.objects.filter(
            customer_id__in=customer_ids, obtained_on__lte=on, valid_until__gte=on
        )
        .exclude(vendor__in=closed)
        .order_by("obtained_on", "pk")
    )
    for row in rows:
        terms = terms_of.get(row.vendor)
        bought[row.customer_id][row.name] = BoughtValue(
            name=row.name,
            number=row.number,
            text=row.text,
            vendor=row.vendor,
            may_market=terms is not None and Purpose.MARKETING in terms.purposes,
        )
    return {
        key: CreditFacts(flows.get(key, ()), bureau.get(key, {}), bought.get(key, {}))
        for key in customer_ids
    }


def closed_sources(*, on: date) -> frozenset[str]:
    """Return the sources that are switched off or whose contract is not in force (1 query)."""
    return _closed({source.name: source.terms for source in DataSource.objects.all()}, on)


def _closed(terms_of: Mapping[str, SourceTerms], on: date) -> frozenset[str]:
    return frozenset(
        name
        for name, terms in terms_of.items()
        if standing(terms, today=on) is not Standing.IN_FORCE
    )


def load_flows(*, customer_ids: Collection[int]) -> dict[int, list[MonthlyFlow]]:
    """Return the income and obligations of these people, whenever they hold (1 query)."""
    found: dict[int, list[MonthlyFlow]] = defaultdict(list)
    for row in IncomeFlow.objects.filter(customer_id__in=customer_ids).order_by("pk"):
        found[row.customer_id].append(
            MonthlyFlow(
                kind=FlowKind(row.kind),
                amount=row.monthly_amount,
                share=row.share,
                joint_reference=row.joint_reference,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
            )
        )
    return dict(found)


def _bureau(
    customer_ids: Collection[int],
    on: date,
    purposes: Sequence[frozenset[PullPurpose]],
    closed: Collection[str],
) -> Mapping[int, Mapping[frozenset[PullPurpose], BureauMeasures]]:
    pulls = (
        BureauPull.objects.filter(
            customer_id__in=customer_ids, pulled_on__lte=on, valid_until__gte=on
        )
        .exclude(vendor__in=closed)
        .order_by("pulled_on", "pk")
        .values_list("pk", "customer_id", "purpose")
    )
    newest: dict[tuple[int, frozenset[PullPurpose]], int] = {}
    for pk, customer_id, purpose in pulls:
        for allowed in purposes:
            if purpose in allowed:
                newest[customer_id, allowed] = pk
    wanted = set(newest.values())
    lines: dict[int, list[ReportedLine]] = defaultdict(list)
    for row in Tradeline.objects.filter(pull_id__in=wanted):
        lines[row.pull_id].append(
            ReportedLine(
                opened_on=row.opened_on,
                closed_on=row.closed_on,
                limit_amount=row.limit_amount,
                balance_amount=row.balance_amount,
                max_dpd_days=row.max_dpd_days,
            )
        )
    asked: dict[int, list[date]] = defaultdict(list)
    for pull_id, day in Inquiry.objects.filter(pull_id__in=wanted).values_list(
        "pull_id", "inquired_on"
    ):
        asked[pull_id].append(day)
    found: dict[int, dict[frozenset[PullPurpose], BureauMeasures]] = defaultdict(dict)
    for (customer_id, allowed), pk in newest.items():
        found[customer_id][allowed] = measures(lines[pk], asked[pk], on=on)
    return found
