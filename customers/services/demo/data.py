"""Writes the made-up population of the demo, in set-based batches."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from customers.domain.demo import lending
from customers.domain.demo.people import SOURCE
from customers.domain.demo.population import Story
from customers.domain.events.event import EventName
from customers.domain.sources import SourceKind
from customers.domain.values.attribute import AttributeType
from customers.models import (
    Application,
    AttributeDefinition,
    AttributeValue,
    ContactPoint,
    Customer,
    Event,
    EventType,
    IdentityLink,
    Instalment,
    Loan,
    Product,
    Repayment,
    Score,
)
from customers.services.consents import ledger as consents
from customers.services.demo import rows as demo_rows
from customers.services.sources import registry
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import bulk_load
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import AuditEntry

# One transaction a batch keeps SQLite's write lock short (about half a second).
_BATCH_STORIES = 500
_INSERT_ROWS = 1_000
_GENERATED = "customers.demo_generated"
# name, labels, and whether marketing is kept away from it
_TIES = (
    ("household_id", "家庭编号", "Household", True),
    ("device_id", "设备编号", "Device", True),
    ("employer", "工作单位", "Employer", False),
    ("referred_by", "推荐人", "Referred by", False),
    ("guaranteed_by", "担保人", "Guaranteed by", True),
)
Row = TypeVar("Row", bound=models.Model)


class DemoDataPresent(LoanCrmError):
    """Made-up customers are there already."""

    code = "demo_data_present"


@dataclass(slots=True)
class DemoCounts:
    """How many rows of each kind were written."""

    customers: int = 0
    contact_points: int = 0
    consents: int = 0
    applications: int = 0
    loans: int = 0
    instalments: int = 0
    repayments: int = 0
    events: int = 0
    scores: int = 0

    def add(self, other: "DemoCounts") -> None:
        """Add the counts of one batch."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


@dataclass(frozen=True, slots=True)
class _DemoReferences:
    products: dict[str, Product]
    event_type_ids: dict[str, int]
    income: AttributeDefinition
    acquired: AttributeDefinition
    ties: dict[str, AttributeDefinition]


def write_population(*, actor: Actor, stories: Iterable[Story], now: datetime) -> DemoCounts:
    """Write customers with contact points, consents, loans, events and scores.

    A run that was killed is gone on with by the next one of the same stories.

    Args:
        actor: Who generates; needs the permission to import customers.
        stories: From `population.generate`; consumed batch by batch, one transaction each.
        now: Time of recording; the stories must not reach beyond it.

    Raises:
        DemoDataPresent: There are customers of the demo already, all of them or other ones.
        PermissionRefused: The actor may not import customers.
    """
    act = acting(actor, "customers.import_customers", now=now)
    there = Customer.objects.filter(source=SOURCE)
    is_whole = AuditEntry.objects.filter(action=_GENERATED).exists
    if there.exists() and is_whole():
        raise _present()
    with transaction.atomic():
        registry.admit(actor=actor, name=SOURCE, now=now, kind=SourceKind.OWN_SYSTEM)
        references = _write_references()
    counts = DemoCounts()
    remaining = iter(stories)
    while batch := list(islice(remaining, _BATCH_STORIES)):
        with transaction.atomic():
            if missing := _missing(batch):
                counts.add(_write_batch(missing, references, now))
    with act:
        act.record(_GENERATED, on=(Customer, SOURCE), facts=asdict(counts))
    return counts


def _missing(batch: Sequence[Story]) -> list[Story]:
    """Return the stories that a killed run has not written."""
    wanted = {story.person.external_id: story.person.public_id for story in batch}
    there = Customer.objects.filter(source=SOURCE, external_id__in=wanted)
    known = dict(there.values_list("external_id", "public_id"))
    if any(wanted[name] != public_id for name, public_id in known.items()):
        raise _present()
    return [story for story in batch if story.person.external_id not in known]


def _present() -> DemoDataPresent:
    return DemoDataPresent(_("The demo's customers are there already."))


def _write_references() -> _DemoReferences:
    products = {
        product.code: Product.objects.update_or_create(
            code=product.code,
            defaults={
                "name_zh": product.name_zh,
                "name_en": product.name_en,
                "annual_rate": product.annual_rate,
                "min_amount": product.min_amount,
                "max_amount": product.max_amount,
                "term_months": product.term_months,
            },
        )[0]
        for product in lending.PRODUCTS
    }
    type_ids = {
        name.value: EventType.objects.get_or_create(name=name.value)[0].pk for name in EventName
    }
    income, _created = AttributeDefinition.objects.get_or_create(
        name="monthly_income",
        defaults={
            "value_type": AttributeType.NUMBER,
            "label_zh": "月收入",
            "label_en": "Monthly income",
            "unit": "CNY",
        },
    )
    acquired, _created = AttributeDefinition.objects.get_or_create(
        name="acquired_through",
        defaults={
            "value_type": AttributeType.TEXT,
            "label_zh": "获客渠道",
            "label_en": "Acquired through",
        },
    )
    ties = {
        name: AttributeDefinition.objects.get_or_create(
            name=name,
            defaults={
                "value_type": AttributeType.TEXT,
                "label_zh": zh,
                "label_en": en,
                "is_risk_only": is_risk_only,
            },
        )[0]
        for name, zh, en, is_risk_only in _TIES
    }
    return _DemoReferences(products, type_ids, income, acquired, ties)


def _write_batch(
    stories: Sequence[Story], references: _DemoReferences, now: datetime
) -> DemoCounts:
    customers = _create(Customer, (demo_rows.customer(story, now=now) for story in stories))
    pairs = list(zip(customers, stories, strict=True))
    links = (
        IdentityLink(
            source=SOURCE,
            external_id=customer.external_id,
            customer=customer,
            matched_by="external_id",
            created_at=now,
        )
        for customer in customers
    )
    _create(IdentityLink, links)
    attributes = demo_rows.attributes(
        pairs,
        income=references.income,
        acquired=references.acquired,
        ties=references.ties,
        now=now,
    )
    _create(AttributeValue, attributes)
    consent_count, _states = consents.load_history(
        records=demo_rows.consent_records(pairs, now=now), states=demo_rows.consent_states(pairs)
    )
    events = demo_rows.events(pairs, type_ids=references.event_type_ids, now=now)
    counts = DemoCounts(
        customers=len(customers),
        contact_points=len(_create(ContactPoint, demo_rows.contact_points(pairs))),
        consents=consent_count,
        scores=len(_create(Score, demo_rows.scores(pairs, now=now))),
        events=bulk_load.load_rows(Event, demo_rows.EVENT_COLUMNS, events),
    )
    _write_lending(pairs, references.products, counts)
    return counts


def _write_lending(
    pairs: Sequence[demo_rows.Pair], products: dict[str, Product], counts: DemoCounts
) -> None:
    applications = _create(
        Application,
        (
            demo_rows.application(customer, drawn, product=products[drawn.product.code])
            for customer, story in pairs
            for drawn in story.history.applications
        ),
    )
    by_id = {application.external_id: application for application in applications}
    drawn_loans = [
        (by_id[demo_rows.application_id(customer, drawn.application)], drawn)
        for customer, story in pairs
        for drawn in story.history.loans
    ]
    loans = _create(Loan, (demo_rows.loan(requested, drawn) for requested, drawn in drawn_loans))
    plans = [(loan, drawn) for loan, (_, drawn) in zip(loans, drawn_loans, strict=True)]
    counts.applications, counts.loans = len(applications), len(loans)
    counts.instalments = bulk_load.load_rows(
        Instalment, demo_rows.INSTALMENT_COLUMNS, demo_rows.instalments(plans)
    )
    counts.repayments = bulk_load.load_rows(
        Repayment, demo_rows.REPAYMENT_COLUMNS, demo_rows.repayments(plans)
    )


def _create(model: type[Row], rows: Iterable[Row]) -> list[Row]:
    manager = model._default_manager  # noqa: SLF001 - the manager of any model
    return manager.bulk_create(rows, batch_size=_INSERT_ROWS)
