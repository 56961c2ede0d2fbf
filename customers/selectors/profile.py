"""Everything about one customer on one page, masked, in a fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from customers import labels
from customers.domain.contact import ContactKind
from customers.domain.fields import Text
from customers.domain.score_bands import RFM_PARTS
from customers.models import (
    Application,
    AttributeValue,
    ConsentState,
    ContactPoint,
    Customer,
    IdentityLink,
    Loan,
    Score,
)
from customers.selectors import profile_history
from customers.selectors.profile_history import Month, Stay
from loancrm.kernel import crypto, masking


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach the person, masked."""

    kind: str
    masked: str
    status: str
    is_usable: bool
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """The 360° view; texts of vocabularies are read in the language of the reader."""

    customer: Customer
    masked_name: str
    masked_national_id: str
    age_years: int | None
    contacts: Sequence[Contact]
    consents: Sequence[ConsentState]
    attributes: Sequence[tuple[str, str]]
    loans: Sequence[Loan]
    applications: Sequence[Application]
    scores: Sequence[Score]
    score_versions: Sequence[Score]
    stages: Sequence[Stay]
    months: Sequence[Month]
    event_names: Sequence[str]
    event_channels: Sequence[str]
    identities: Sequence[IdentityLink]


def masked_name(customer: Customer) -> str:
    """Return the name with all but the family name hidden; empty when it is not known."""
    if not customer.name_sealed:
        return ""
    name = crypto.vault().open(Customer.NAME_COLUMN, customer.public_id, customer.name_sealed)
    return masking.mask_name(name)


def masked_contact(point: ContactPoint) -> str:
    """Return a phone number or address of which only a part can be read."""
    value = crypto.vault().open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed)
    if point.kind == ContactKind.EMAIL:
        return masking.mask_email(value)
    return masking.mask_phone(value)


def profile(
    customer: Customer, *, today: date, zone: ZoneInfo, is_for_risk: bool = False
) -> Profile:
    """Return the 360° view of one customer (12 queries).

    Args:
        is_for_risk: With the attributes that only risk may see.
    """
    values = AttributeValue.objects.filter(customer=customer).select_related("definition")
    if not is_for_risk:
        values = values.filter(definition__is_risk_only=False)
    loans = list(customer.loans.select_related("product").order_by("-disbursed_on", "-pk"))
    scores = profile_history.score_versions(customer)
    done = profile_history.activity(customer, zone=zone)
    return Profile(
        customer=customer,
        masked_name=masked_name(customer),
        masked_national_id=masked_national_id(customer),
        age_years=_age_years(customer.birth_date, today),
        contacts=[_contact(point) for point in _points(customer)],
        consents=list(customer.consent_states.order_by("channel", "purpose")),
        attributes=[(_title(value), _reading(value)) for value in values],
        loans=loans,
        applications=list(
            customer.applications.select_related("product").order_by("-submitted_at", "-pk")
        ),
        scores=[s for s in scores if s.is_latest and s.model_name not in RFM_PARTS],
        score_versions=scores,
        stages=profile_history.stage_history(customer),
        months=profile_history.months(done, loans=loans, today=today),
        event_names=done.names,
        event_channels=done.channels,
        identities=list(customer.identity_links.order_by("source", "external_id")),
    )


def _points(customer: Customer) -> Sequence[ContactPoint]:
    return list(customer.contact_points.order_by("kind", "-is_primary", "pk"))


def _contact(point: ContactPoint) -> Contact:
    return Contact(
        kind=labels.read(labels.CONTACT_KINDS, point.kind),
        masked=masked_contact(point),
        status=labels.read(labels.CONTACT_STATUSES, point.status),
        is_usable=point.status == "active",
        is_primary=point.is_primary,
    )


def masked_national_id(customer: Customer) -> str:
    """Return the identity number of which only the ends can be read; empty when it is not known."""
    if not customer.national_id_sealed:
        return ""
    number = crypto.vault().open(
        Customer.NATIONAL_ID_COLUMN, customer.public_id, customer.national_id_sealed
    )
    return masking.mask_national_id(number)


def _age_years(born: date | None, today: date) -> int | None:
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _title(value: AttributeValue) -> str:
    definition = value.definition
    return Text(definition.label_zh, definition.label_en).read(get_language() or "en") or (
        definition.name
    )


def _reading(value: AttributeValue) -> str:
    raw: Decimal | str | date | datetime | bool | None = next(
        (x for x in (value.number, value.text, value.day, value.flag) if x is not None), None
    )
    if isinstance(raw, Decimal):
        text = f"{raw:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return f"{text} {value.definition.unit}".strip()
    return "" if raw is None else str(raw)
