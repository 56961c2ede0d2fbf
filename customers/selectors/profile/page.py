"""Everything about one customer on one page, masked, in a fixed number of queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import CharField, Exists, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, NullIf

from customers.domain.consents.consent import Purpose
from customers.domain.events.event import EventName
from customers.domain.fields.score_bands import CLV, CLV_PARTS, RFM_PARTS, is_spending
from customers.domain.loans.instalments import months_between
from customers.domain.loans.loan import Bucket, bucket_of
from customers.domain.loans.preference import (
    APPLICATION_WEIGHT,
    VIEW_WEIGHT,
    Interest,
    Preference,
    preferences,
)
from customers.models import (
    Application,
    AttributeValue,
    ConsentRecord,
    ConsentState,
    Customer,
    Event,
    IdentityLink,
    Loan,
    Product,
    Score,
)
from customers.selectors import sources
from customers.selectors.profile import history, person
from customers.selectors.profile.history import LifecycleStay, Month
from customers.selectors.profile.person import (
    Fact,
    ProfileContact,
    masked_contact,
    masked_name,
    masked_national_id,
)
from loancrm.kernel.words.phrases import reads_chinese

__all__ = ["CustomerProfile", "masked_contact", "masked_name", "masked_national_id", "profile"]

# Older interest has decayed to less than a hundredth.
_INTEREST_DAYS = 730
_MOST_VIEWS = 1_000


@dataclass(frozen=True, slots=True)
class LoanFacts:
    """A loan with what is derived of it today."""

    loan: Loan
    bucket: Bucket
    months_on_book: int


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """A consent in force with where its last word came from; empty where no record tells."""

    state: ConsentState
    source: str
    policy_version: str
    is_source_barred: bool


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    """The 360° view; texts of vocabularies are read in the language of the reader.

    Contacts, consents and identities carry `is_source_barred`: their source may not serve marketing
    today.

    Attributes:
        source_names: {code: title} of the sources of what is shown, read with it.
    """

    customer: Customer
    masked_name: str
    facts: Sequence[Fact]
    contacts: Sequence[ProfileContact]
    consents: Sequence[ConsentFacts]
    attributes: Sequence[Fact]
    loans: Sequence[LoanFacts]
    applications: Sequence[Application]
    preferences: Sequence[Preference]
    scores: Sequence[Score]
    lifetime_value: Mapping[str, Score]
    spending: Mapping[str, Score]
    score_versions: Sequence[Score]
    stages: Sequence[LifecycleStay]
    months: Sequence[Month]
    event_names: Sequence[str]
    event_channels: Sequence[str]
    identities: Sequence[IdentityLink]
    source_names: Mapping[str, str]


def profile(
    customer: Customer,
    *,
    today: date,
    now: datetime,
    zone: ZoneInfo,
    is_for_risk: bool = False,
) -> CustomerProfile:
    """Return the 360° view of one customer (12 queries).

    Args:
        today: The company's date.
        now: From when interest in products decays.
        zone: The company's zone, in which months begin.
        is_for_risk: With the attributes that only risk may see.
    """
    values = _attribute_values(customer, is_for_risk=is_for_risk)
    title = sources.title()
    borrowed = customer.loans.select_related("product").annotate(source_title=title)
    loans = list(borrowed.order_by("-disbursed_on", "-pk"))
    applied = customer.applications.select_related("product").annotate(source_title=title)
    applications = list(applied.order_by("-submitted_at", "-pk"))
    scores = history.score_versions(customer)
    in_use = {score.model_name: score for score in scores if score.is_latest}
    done = history.activity(customer, zone=zone)
    barred = sources.is_barred(Purpose.MARKETING, today=today)
    points = customer.contact_points.annotate(is_source_barred=barred, source_title=title)
    links = customer.identity_links.annotate(is_source_barred=barred, source_title=title)
    contacts = list(points.order_by("kind", "-is_primary", "pk"))
    identities = list(links.order_by("source", "external_id"))
    consents = _consents(customer, barred)
    told = [customer, *values, *loans, *applications, *contacts, *identities]
    return CustomerProfile(
        customer=customer,
        masked_name=masked_name(customer),
        facts=person.person_facts(customer, values, today=today),
        contacts=[
            person.contact(point, is_source_barred=point.is_source_barred) for point in contacts
        ],
        consents=consents,
        attributes=[person.attribute_fact(value) for value in values],
        loans=[_loan(loan, today) for loan in loans],
        applications=applications,
        preferences=preferences(_interests(customer, applications, now), as_of=now),
        scores=[
            score
            for name, score in in_use.items()
            if name not in {*RFM_PARTS, CLV, *CLV_PARTS} and not is_spending(name)
        ],
        spending={n: s for n, s in in_use.items() if is_spending(n)},
        lifetime_value={n: s for n, s in in_use.items() if n in {CLV, *CLV_PARTS}},
        score_versions=scores,
        stages=history.stage_history(customer),
        months=history.months(done, loans=loans, today=today),
        event_names=done.names,
        event_channels=done.channels,
        identities=identities,
        source_names=_titles([*told, *(consent.state for consent in consents)]),
    )


def _titles(rows: Iterable[Any]) -> dict[str, str]:
    """Return {code: title} of the sources of rows that were read with their titles."""
    return {row.source: row.source_title for row in rows if getattr(row, "source_title", None)}


def _attribute_values(customer: Customer, *, is_for_risk: bool) -> list[AttributeValue]:
    values = AttributeValue.objects.filter(customer=customer).select_related("definition")
    values = values.annotate(source_title=sources.title())
    if not is_for_risk:
        values = values.filter(definition__is_risk_only=False)
    return list(values.order_by("definition__name"))


def _loan(loan: Loan, today: date) -> LoanFacts:
    ended = loan.settled_on or loan.closed_on
    until = min(ended, today) if ended else today
    return LoanFacts(loan, bucket_of(loan.dpd_days), months_between(loan.disbursed_on, until))


def _consents(customer: Customer, barred: Exists) -> list[ConsentFacts]:
    records = ConsentRecord.objects.filter(
        customer=OuterRef("customer"), channel=OuterRef("channel"), purpose=OuterRef("purpose")
    ).order_by("-at", "-pk")
    states = customer.consent_states.order_by("channel", "purpose").annotate(
        told_by=Subquery(records.values("source")[:1]),
        told_version=Subquery(records.values("policy_version")[:1]),
        is_source_barred=barred,
        source_title=sources.title(),
    )
    return [
        ConsentFacts(row, row.told_by or "", row.told_version or "", row.is_source_barred)
        for row in states
    ]


def _interests(
    customer: Customer, applications: Sequence[Application], now: datetime
) -> list[Interest]:
    """Return the products the customer applied for and looked at, by name (1 query)."""
    column = "name_zh" if reads_chinese() else "name_en"
    name = Coalesce(NullIf(F(column), Value("")), F("code"), output_field=CharField())
    named = Product.objects.filter(code=OuterRef("subject")).values_list(name)
    views = Event.objects.filter(
        customer=customer,
        type__name=EventName.PAGE_VIEWED,
        occurred_at__gt=now - timedelta(days=_INTEREST_DAYS),
    ).annotate(product_name=Subquery(named[:1]))
    views = views.filter(product_name__isnull=False).order_by("-occurred_at", "-pk")
    found = [
        Interest(name, at, VIEW_WEIGHT)
        for name, at in views.values_list("product_name", "occurred_at")[:_MOST_VIEWS]
    ]
    found += [
        Interest(str(row.product), row.submitted_at, APPLICATION_WEIGHT)
        for row in applications
        if row.product is not None
    ]
    return found
