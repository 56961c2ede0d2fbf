"""The rows of an export, read and opened a few thousand at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from django.db.models import QuerySet

from customers import labels
from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.exports import ExportColumn
from customers.domain.segments.evaluate import completed_years
from customers.domain.values.contact import ContactKind
from customers.models import ContactPoint, Customer
from customers.selectors.consents import in_force
from loancrm.kernel import clock
from loancrm.kernel.security import crypto, masking

_PAGE = 2_000
_CONTACTS = {ExportColumn.PHONE: ContactKind.PHONE, ExportColumn.EMAIL: ContactKind.EMAIL}
_CONSENTS = {
    ExportColumn.SMS_CONSENT: ConsentChannel.SMS,
    ExportColumn.EMAIL_CONSENT: ConsentChannel.EMAIL,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export shows.

    Attributes:
        is_unmasked: Personal data in clear; else only what the screens show.
        yes: How a given consent is written; `no` likewise.
    """

    columns: Sequence[ExportColumn]
    is_unmasked: bool
    now: datetime
    today: date
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class _Beside:
    """What belongs to the customers of one page: contact points and standing consents."""

    points: Mapping[tuple[int, str], ContactPoint]
    consents: frozenset[tuple[int, str]]


def pages(customers: QuerySet[Customer], wanted: Wanted) -> Iterator[list[list[str]]]:
    """Yield the rows in pages; memory does not grow with their number.

    One query for the customers, which the database keeps open, and at most two a page.
    """
    found = customers.order_by("pk").iterator(chunk_size=_PAGE)
    while page := list(islice(found, _PAGE)):
        beside = _beside([customer.pk for customer in page], wanted)
        yield [[_cell(column, row, beside, wanted) for column in wanted.columns] for row in page]


def _beside(keys: list[int], wanted: Wanted) -> _Beside:
    points: dict[tuple[int, str], ContactPoint] = {}
    kinds = [kind for column, kind in _CONTACTS.items() if column in wanted.columns]
    if kinds:
        rows = ContactPoint.objects.filter(customer__any_of=keys, kind__in=kinds, is_primary=True)
        points = {(point.customer_id, point.kind): point for point in rows}
    consents: frozenset[tuple[int, str]] = frozenset()
    channels = [channel for column, channel in _CONSENTS.items() if column in wanted.columns]
    if channels:
        granted = in_force(now=wanted.now, purpose=Purpose.MARKETING)
        standing = granted.filter(customer__any_of=keys, channel__in=channels)
        consents = frozenset(standing.values_list("customer_id", "channel"))
    return _Beside(points, consents)


def _cell(column: ExportColumn, customer: Customer, beside: _Beside, wanted: Wanted) -> str:
    if column in _CONTACTS:
        point = beside.points.get((customer.pk, _CONTACTS[column]))
        return "" if point is None else _contact(point, wanted)
    if column in _CONSENTS:
        return wanted.yes if (customer.pk, _CONSENTS[column]) in beside.consents else wanted.no
    if column is ExportColumn.NAME:
        sealed, bound, mask = customer.name_sealed, Customer.NAME_COLUMN, masking.mask_name
        return _opened(sealed, bound, customer, mask, wanted)
    if column is ExportColumn.NATIONAL_ID:
        sealed, bound = customer.national_id_sealed, Customer.NATIONAL_ID_COLUMN
        return _opened(sealed, bound, customer, masking.mask_national_id, wanted)
    return _plain(column, customer, wanted)


def _contact(point: ContactPoint, wanted: Wanted) -> str:
    value = crypto.vault().open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed)
    if wanted.is_unmasked:
        return value
    is_email = point.kind == ContactKind.EMAIL
    return masking.mask_email(value) if is_email else masking.mask_phone(value)


def _opened(
    sealed: bytes | memoryview | None,
    column: str,
    customer: Customer,
    mask: Callable[[str], str],
    wanted: Wanted,
) -> str:
    if not sealed:
        return ""
    value = crypto.vault().open(column, customer.public_id, bytes(sealed))
    return value if wanted.is_unmasked else mask(value)


def _plain(column: ExportColumn, customer: Customer, wanted: Wanted) -> str:
    match column:
        case ExportColumn.AGE:
            born = customer.birth_date
            return str(completed_years(born, wanted.today)) if born else ""
        case ExportColumn.GENDER:
            return labels.GENDERS.label(customer.gender)
        case ExportColumn.LIFECYCLE_STAGE:
            return labels.STAGES.label(customer.lifecycle_stage)
        case ExportColumn.MARKETING_STATUS:
            return labels.MARKETING_STATUSES.label(customer.marketing_status)
        case ExportColumn.CREATED_ON:
            return f"{customer.created_at.astimezone(clock.company_zone()):%Y-%m-%d}"
        case _:
            return str(getattr(customer, column.value))
