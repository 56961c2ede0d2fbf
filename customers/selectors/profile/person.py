"""Who a customer is, value by value: masked, with its source and the day it was written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers import labels
from customers.domain.fields.bands import age_band, income_band
from customers.domain.fields.catalogue import Text
from customers.domain.values.contact import ContactKind, ContactStatus
from customers.models import AttributeValue, ContactPoint, Customer
from loancrm.kernel.security import crypto, masking

# From this attribute the income band is derived where the record has none.
INCOME_ATTRIBUTE = "monthly_income"
UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value as it is shown; `note` tells what was derived."""

    name: str
    value: str
    source: str
    at: datetime
    note: str = ""

    @property
    def is_known(self) -> bool:
        """Return whether there is a value at all."""
        return self.value != UNKNOWN


@dataclass(frozen=True, slots=True)
class ProfileContact:
    """One way to reach the person, masked."""

    kind: str
    masked: str
    status: str
    is_usable: bool
    is_primary: bool
    source: str
    at: datetime
    is_source_barred: bool


def masked_name(customer: Customer) -> str:
    """Return the name with all but the family name hidden; empty when it is not known."""
    if not customer.name_sealed:
        return ""
    name = crypto.vault().open(Customer.NAME_COLUMN, customer.public_id, customer.name_sealed)
    return masking.mask_name(name)


def masked_national_id(customer: Customer) -> str:
    """Return the identity number of which only the ends can be read; empty when it is not known."""
    if not customer.national_id_sealed:
        return ""
    number = crypto.vault().open(
        Customer.NATIONAL_ID_COLUMN, customer.public_id, customer.national_id_sealed
    )
    return masking.mask_national_id(number)


def masked_contact(point: ContactPoint) -> str:
    """Return a phone number or address of which only a part can be read."""
    value = crypto.vault().open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed)
    if point.kind == ContactKind.EMAIL:
        return masking.mask_email(value)
    return masking.mask_phone(value)


def contact(point: ContactPoint, *, is_source_barred: bool) -> ProfileContact:
    """Return one contact point as it is shown."""
    return ProfileContact(
        kind=labels.CONTACT_KINDS.label(point.kind),
        masked=masked_contact(point),
        status=labels.CONTACT_STATUSES.label(point.status),
        is_usable=point.status == ContactStatus.ACTIVE,
        is_primary=point.is_primary,
        source=point.source,
        at=point.created_at,
        is_source_barred=is_source_barred,
    )


def person_facts(
    customer: Customer, values: Sequence[AttributeValue], *, today: date
) -> list[Fact]:
    """Return who the customer is; what is not known is a dash.

    Args:
        values: The customer's attribute values, with their definitions.
        today: The company's date, on which the age is counted.
    """
    years = age_years(customer.birth_date, today)
    band = _("band %(band)s") % {"band": age_band(years)} if years is not None else ""
    shown = (
        ("name", _("Full name"), masked_name(customer), ""),
        ("national_id", _("Identity number"), masked_national_id(customer), ""),
        ("gender", _("Gender"), labels.GENDERS.label(customer.gender), ""),
        ("birth_date", _("Age"), "" if years is None else str(years), band),
        ("city", _("Place"), f"{customer.province} {customer.city}".strip(), ""),
        ("occupation", _("Occupation"), labels.occupation(customer.occupation), ""),
        ("education", _("Education"), labels.education(customer.education), ""),
        ("marital", _("Marital status"), labels.marital(customer.marital), ""),
    )
    facts = [
        Fact(name, value or UNKNOWN, _said_by(customer, column), customer.updated_at, note)
        for column, name, value, note in shown
    ]
    return [*facts, _income(customer, values)]


def _said_by(customer: Customer, column: str) -> str:
    """Return the source of a column's value."""
    return str(customer.field_sources.get(column, customer.source))


def _income(customer: Customer, values: Sequence[AttributeValue]) -> Fact:
    name = _("Income")
    if customer.income_band:
        band = labels.income_band(customer.income_band)
        return Fact(name, band, _said_by(customer, "income_band"), customer.updated_at)
    for value in values:
        if value.definition.name == INCOME_ATTRIBUTE and value.number is not None:
            band = labels.income_band(income_band(value.number))
            return Fact(name, band, value.source, value.updated_at, _("derived from the amount"))
    return Fact(name, UNKNOWN, customer.source, customer.updated_at)


def attribute_fact(value: AttributeValue) -> Fact:
    """Return an attribute under its title in the language of the reader."""
    definition = value.definition
    title = Text(definition.label_zh, definition.label_en).read(get_language() or "en")
    return Fact(title or definition.name, _reading(value), value.source, value.updated_at)


def age_years(born: date | None, today: date) -> int | None:
    """Return the completed years of life; None where the birth date is not known."""
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _reading(value: AttributeValue) -> str:
    raw: Decimal | str | date | datetime | bool | None = next(
        (x for x in (value.number, value.text, value.day, value.flag) if x is not None), None
    )
    if isinstance(raw, Decimal):
        text = f"{raw:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return f"{text} {value.definition.unit}".strip()
    return "" if raw is None else str(raw)
