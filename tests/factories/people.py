"""The smallest valid customers that can be reached."""

from datetime import UTC, date, datetime

from customers.models import ConsentState, ContactPoint, Customer
from loancrm.kernel.security import crypto

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def make_people(
    count: int,
    *,
    kinds: tuple[str, ...] = ("email", "phone"),
    consents: tuple[str, ...] = ("email", "sms"),
    prefix: str = "p",
    **columns: object,
) -> list[Customer]:
    """Create customers named 客户1, 客户2, … with contact points and marketing consents."""
    vault = crypto.vault()
    people = []
    for number in range(1, count + 1):
        person = Customer(
            external_id=f"{prefix}{number}",
            gender="female",
            birth_date=date(1990, 1, 1),
            created_at=LONG_AGO,
            updated_at=LONG_AGO,
        )
        for name, value in columns.items():
            setattr(person, name, value)
        person.name_sealed = vault.seal(Customer.NAME_COLUMN, person.public_id, f"客户{number}")
        people.append(person)
    Customer.objects.bulk_create(people)
    points = []
    for number, person in enumerate(people, start=1):
        for kind in kinds:
            value = (
                f"{prefix}{number}@example.com"
                if kind == "email"
                else f"+861{sum(map(ord, prefix)) % 100:02d}{number:08d}"
            )
            point = ContactPoint(customer=person, kind=kind, created_at=LONG_AGO)
            point.value_sealed = vault.seal(ContactPoint.VALUE_COLUMN, point.row_key, value)
            point.value_index = vault.blind_index(ContactPoint.VALUE_COLUMN, value)
            points.append(point)
    ContactPoint.objects.bulk_create(points)
    ConsentState.objects.bulk_create(
        ConsentState(
            customer=person,
            channel=channel,
            purpose="marketing",
            is_granted=True,
            changed_at=LONG_AGO,
        )
        for person in people
        for channel in consents
    )
    return people
