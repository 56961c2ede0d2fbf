"""Store people whom a partner or a form handed in, in a fixed number of set-based writes."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from customers.domain.consents.captures import TEXT_FIELDS, CapturedPerson, ConsentClaim
from customers.domain.identity.match_keys import Likeness
from customers.domain.values.contact import ContactKind
from customers.models import ContactPoint, Customer, IdentityLink
from customers.selectors.identity.captured_people import DirectoryEntry
from customers.services.consents import ledger
from customers.services.consents.ledger import ConsentChange
from loancrm.kernel.database.bulk_load import load_objects
from loancrm.kernel.security import crypto

_MATCHED_BY = "capture"


def store_new(*, entries: Sequence[DirectoryEntry], source: str, now: datetime) -> None:
    """Store new people with their contact points and consents; sets every entry's customer id.

    For a service that checks the permission and writes the audit entry itself.
    """
    people = [(entry, entry.person) for entry in entries if entry.person is not None]
    customers = [_customer(entry, person, source, now) for entry, person in people]
    load_objects(Customer, customers)
    _learn_keys(customers)
    stored = [
        (entry, person, customer)
        for (entry, person), customer in zip(people, customers, strict=True)
    ]
    points: list[ContactPoint] = []
    words: list[ConsentChange] = []
    for entry, person, customer in stored:
        entry.customer_id = customer.pk
        points.extend(_points(entry, person, customer, source, now))
        words.extend(_change(claim, customer, source) for claim in person.consents)
    load_objects(ContactPoint, points)
    new_ids = {customer.pk for customer in customers}
    ledger.apply_reported_consents(changes=words, new_ids=new_ids, now=now)


def link(*, source: str, customer_ids: dict[str, int], now: datetime) -> None:
    """Remember {external id: customer id} of a source; ids that are linked stay as they are."""
    known = set(
        IdentityLink.objects.filter(source=source, external_id__in=customer_ids).values_list(
            "external_id", flat=True
        )
    )
    load_objects(
        IdentityLink,
        [
            IdentityLink(
                source=source,
                external_id=external_id,
                customer_id=customer_id,
                matched_by=_MATCHED_BY,
                created_at=now,
            )
            for external_id, customer_id in customer_ids.items()
            if external_id not in known
        ],
    )


def _learn_keys(customers: Sequence[Customer]) -> None:
    by_public_id = {customer.public_id: customer for customer in customers}
    stored = Customer.objects.filter(public_id__in=by_public_id)
    for key, public_id in stored.values_list("pk", "public_id"):
        by_public_id[public_id].pk = key


def _customer(
    entry: DirectoryEntry, person: CapturedPerson, source: str, now: datetime
) -> Customer:
    likeness = entry.likeness or Likeness()
    row = Customer(
        name_index=likeness.name,
        national_id_index=likeness.national_id or None,
        birth_date=person.birth_date,
        gender=person.gender,
        language=person.language,
        source=source,
        created_at=now,
        updated_at=now,
        **{name: person.texts.get(name, "") for name in TEXT_FIELDS},
    )
    vault = crypto.vault()
    if person.name:
        row.name_sealed = vault.seal(Customer.NAME_COLUMN, row.public_id, person.name)
    if person.national_id:
        row.national_id_sealed = vault.seal(
            Customer.NATIONAL_ID_COLUMN, row.public_id, person.national_id.number
        )
    return row


def _points(
    entry: DirectoryEntry, person: CapturedPerson, customer: Customer, source: str, now: datetime
) -> Iterator[ContactPoint]:
    values = {
        ContactKind.PHONE.value: person.phone.e164 if person.phone else "",
        ContactKind.EMAIL.value: person.email,
    }
    for kind, index, is_primary in entry.points:
        point = ContactPoint(
            customer=customer,
            kind=kind,
            value_index=index,
            is_primary=is_primary,
            is_virtual_range=bool(person.phone and person.phone.is_virtual and kind == "phone"),
            source=source,
            created_at=now,
        )
        point.value_sealed = crypto.vault().seal(
            ContactPoint.VALUE_COLUMN, point.row_key, values[kind]
        )
        yield point


def _change(claim: ConsentClaim, customer: Customer, source: str) -> ConsentChange:
    return ConsentChange(
        customer_id=customer.pk,
        channel=claim.channel,
        purpose=claim.purpose,
        is_granted=claim.is_granted,
        source=source,
        evidence=claim.evidence,
        policy_version=claim.policy_version,
        at=claim.at,
        is_doubtful=claim.is_doubtful,
    )
