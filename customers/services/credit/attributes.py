"""Credit facts as attributes of the person, so that rules, models and pages read them by one way.

Whoever may read an attribute is decided by its definition: what comes from a report that was pulled
for credit is for risk only, and no rule, text or model of marketing sees it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from customers.domain.credit.affordability import affordability
from customers.domain.credit.attributes import (
    AFFORDABILITY,
    BUREAU,
    DERIVED,
    MARKETING_BUREAU,
    DerivedAttribute,
    vendor_attribute,
)
from customers.domain.credit.bureau import (
    MARKETING_PURPOSES,
    RISK_PURPOSES,
    BureauMeasures,
)
from customers.domain.sources import OwnSource
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    BureauPull,
    Customer,
    IncomeFlow,
    VendorValue,
)
from customers.selectors.credit.facts import CreditFacts, load_credit_facts
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

CHANGE = "customers.change_bureaupull"
_BATCH = 1000
# The largest whole number that `AttributeValue.number` holds, on SQLite (as a float) too.
_MOST = Decimal(10) ** 14 - 1
_Value = Decimal | str


@dataclass(frozen=True, slots=True)
class CreditRefresh:
    """How many people were looked at, and how many of their attributes were written or removed."""

    customer_count: int = 0
    written: int = 0
    removed: int = 0


def refresh_credit_attributes(*, actor: Actor, now: datetime) -> CreditRefresh:
    """Derive the attributes of everybody of whom there are credit facts, as of today.

    What has run out, and what a vendor sold that is switched off, has no attribute afterwards.

    Raises:
        PermissionRefused: The actor may not change credit facts.
    """
    act = acting(actor, CHANGE, now=now)
    total = CreditRefresh()
    last = 0
    while ids := _people_after(last):
        last = ids[-1]
        with transaction.atomic():
            total = _plus(total, write_credit_attributes(customer_ids=ids, now=now))
    with act:
        act.record(
            "credit_facts.refresh",
            on=(AttributeValue, "credit"),
            facts={
                "customers": total.customer_count,
                "written": total.written,
                "removed": total.removed,
            },
        )
    return total


def write_credit_attributes(*, customer_ids: Collection[int], now: datetime) -> CreditRefresh:
    """Write what the facts of these people say; for services that check and audit themselves.

    A fixed number of queries, whatever the number of people; the caller owns the transaction.
    """
    # Whoever derives for the same people beside this reads their facts afterwards, so that older
    # facts never replace newer ones. Rows that refer to the people may be added meanwhile.
    people = Customer.objects.filter(pk__in=customer_ids).order_by("pk")
    list(people.select_for_update(no_key=True).values_list("pk"))
    today = now.astimezone(clock.company_zone()).date()
    facts = load_credit_facts(
        customer_ids=customer_ids, on=today, purposes=(RISK_PURPOSES, MARKETING_PURPOSES)
    )
    wanted: dict[tuple[int, str], tuple[_Value, str]] = {}
    kinds: dict[str, DerivedAttribute] = {item.name: item for item in DERIVED}
    for key, own in facts.items():
        for kind, value, source in _values(own, today):
            kinds[kind.name] = kind
            wanted[key, kind.name] = (value, source)
    definitions = _definitions(kinds, {name for _key, name in wanted})
    return _store(customer_ids, wanted, definitions, now)


def _values(facts: CreditFacts, today: date) -> Iterable[tuple[DerivedAttribute, _Value, str]]:
    found = [*_afforded(facts, today)]
    for allowed, names in ((RISK_PURPOSES, BUREAU), (MARKETING_PURPOSES, MARKETING_BUREAU)):
        if measured := facts.bureau.get(allowed):
            found += zip(names, _numbers(measured), strict=True)
    for item, value in found:
        if value is not None:
            yield item, _within(value), OwnSource.CREDIT_FACTS
    for bought in facts.bought.values():
        is_text = bought.number is None
        kind = vendor_attribute(bought.name, is_text=is_text, may_market=bought.may_market)
        yield kind, bought.text if bought.number is None else bought.number, bought.vendor


def _within(value: Decimal) -> Decimal:
    """Return a number as large as attributes hold at most.

    Nothing of this size is meant: a limit of a cent makes a use of millions of millions. Every rule
    says the same of it, and one wrong row does not stop the others.
    """
    return max(-_MOST, min(_MOST, value))


def _afforded(facts: CreditFacts, today: date) -> Iterable[tuple[DerivedAttribute, Decimal | None]]:
    """Return affordability; without a known income, obligations alone."""
    own = affordability(facts.flows, on=today)
    if own.is_known:
        values = (own.income_amount, own.obligation_amount, own.disposable_amount, own.dti)
        return zip(AFFORDABILITY, values, strict=True)
    owed = own.obligation_amount or None
    return zip(AFFORDABILITY, (None, owed, None, None), strict=True)


def _numbers(found: BureauMeasures) -> Sequence[Decimal | None]:
    """Return the measures in the order of the attributes."""
    age = found.file_age_months
    return (
        Decimal(found.open_count),
        found.utilisation,
        Decimal(found.max_dpd_days),
        Decimal(found.recent_inquiry_count),
        None if age is None else Decimal(age),
    )


def _definitions(
    kinds: Mapping[str, DerivedAttribute], used: Collection[str]
) -> Mapping[str, AttributeDefinition]:
    """Return the definitions that there are, with those that are used made where they are new."""
    stored = _stored_definitions(kinds)
    missing = [kinds[name] for name in sorted(used) if name not in stored]
    if not missing:
        return stored
    AttributeDefinition.objects.bulk_create(
        [
            AttributeDefinition(
                name=kind.name,
                value_type=kind.value_type,
                label_zh=kind.label.zh,
                label_en=kind.label.en,
                unit=kind.unit,
                is_risk_only=kind.is_risk_only,
            )
            for kind in missing
        ],
        # Another import may be making the same ones at this moment.
        ignore_conflicts=True,
    )
    return _stored_definitions(kinds)


def _stored_definitions(
    kinds: Mapping[str, DerivedAttribute],
) -> Mapping[str, AttributeDefinition]:
    rows = AttributeDefinition.objects.filter(name__startswith="vendor_")
    rows |= AttributeDefinition.objects.filter(name__in=kinds)
    return {row.name: row for row in rows}


def _store(
    customer_ids: Collection[int],
    wanted: Mapping[tuple[int, str], tuple[_Value, str]],
    definitions: Mapping[str, AttributeDefinition],
    now: datetime,
) -> CreditRefresh:
    names = {row.pk: name for name, row in definitions.items()}
    stored = {
        (row.customer_id, names[row.definition_id]): row
        for row in AttributeValue.objects.filter(
            customer_id__in=customer_ids, definition_id__in=names
        )
    }
    changed = [
        AttributeValue(
            customer_id=key,
            definition=definitions[name],
            number=value if isinstance(value, Decimal) else None,
            text=value if isinstance(value, str) else None,
            source=source,
            updated_at=now,
        )
        for (key, name), (value, source) in wanted.items()
        if not _is_same(stored.get((key, name)), value, source)
    ]
    AttributeValue.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["customer", "definition"],
        update_fields=["number", "text", "source", "updated_at"],
    )
    bought = set(
        VendorValue.objects.filter(customer_id__in=customer_ids).values_list(
            "customer_id", "vendor"
        )
    )
    gone = {
        place: row.pk
        for place, row in stored.items()
        if place not in wanted and _is_derived(row, bought)
    }
    AttributeValue.objects.filter(pk__in=gone.values()).delete()
    # Whoever follows changes of customers looks at them again.
    touched = {row.customer_id for row in changed} | {key for key, _name in gone}
    Customer.objects.filter(pk__in=touched).update(updated_at=now)
    return CreditRefresh(len(customer_ids), len(changed), len(gone))


def _is_derived(row: AttributeValue, bought: Collection[tuple[int, str]]) -> bool:
    """Return whether a value was derived here; a lender's own attribute may have such a name."""
    return row.source == OwnSource.CREDIT_FACTS or (row.customer_id, row.source) in bought


def _is_same(row: AttributeValue | None, value: _Value, source: str) -> bool:
    if row is None or row.source != source:
        return False
    return (row.number if isinstance(value, Decimal) else row.text) == value


def _people_after(last: int) -> list[int]:
    """Return the next people of whom there is, or was, anything to derive."""
    derived = AttributeDefinition.objects.filter(name__startswith="vendor_")
    derived |= AttributeDefinition.objects.filter(name__in=[item.name for item in DERIVED])
    sources = (
        BureauPull.objects.values("customer_id"),
        IncomeFlow.objects.values("customer_id"),
        VendorValue.objects.values("customer_id"),
        AttributeValue.objects.filter(definition__in=derived).values("customer_id"),
    )
    found: set[int] = set()
    for rows in sources:
        found.update(
            rows.filter(customer_id__gt=last)
            .order_by("customer_id")
            .values_list("customer_id", flat=True)
            .distinct()[:_BATCH]
        )
    return sorted(found)[:_BATCH]


def _plus(one: CreditRefresh, other: CreditRefresh) -> CreditRefresh:
    return CreditRefresh(
        one.customer_count + other.customer_count,
        one.written + other.written,
        one.removed + other.removed,
    )
