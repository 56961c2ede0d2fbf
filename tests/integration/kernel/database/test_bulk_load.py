from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from customers.models import Customer, Event, EventType
from loancrm.kernel.database import bulk_load

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
COLUMNS = (
    "customer",
    "type",
    "occurred_at",
    "received_at",
    "amount",
    "channel",
    "subject",
    "properties",
    "source",
    "dedup_key",
)


@pytest.fixture
def customer(now):
    return Customer.objects.create(created_at=now, updated_at=now)


def _row(customer, key, **changes):
    values = {
        "customer": customer.pk,
        "type": EventType.objects.get_or_create(name="app_login")[0].pk,
        "occurred_at": datetime(2026, 3, 1, 1, 2, 3, 456_000, tzinfo=UTC),
        "received_at": datetime(2026, 3, 1, 1, 2, 4, tzinfo=UTC),
        "amount": Decimal("12.30"),
        "channel": "应用\t\\N",
        "subject": "a'b\nc",
        "properties": {"页": [1, None]},
        "source": "test",
        "dedup_key": key,
        **changes,
    }
    return tuple(values[column] for column in COLUMNS)


def test_values_of_every_type_come_back_as_they_went_in(customer):
    count = bulk_load.load_rows(
        Event, COLUMNS, [_row(customer, "1"), _row(customer, "2", amount=None)]
    )

    first, second = Event.objects.order_by("dedup_key")
    assert count == 2
    assert first.customer == customer
    assert first.occurred_at == datetime(2026, 3, 1, 1, 2, 3, 456_000, tzinfo=UTC)
    assert first.amount == Decimal("12.30")
    assert (first.channel, first.subject) == ("应用\t\\N", "a'b\nc")
    assert first.properties == {"页": [1, None]}
    assert second.amount is None


def test_more_rows_than_one_batch_arrive_once_each(customer):
    rows = [_row(customer, str(number)) for number in range(4_321)]

    assert bulk_load.load_rows(Event, COLUMNS, rows) == 4_321
    assert Event.objects.count() == 4_321


def test_a_row_that_breaks_a_constraint_leaves_nothing_behind(customer):
    rows = [_row(customer, "1"), _row(customer, "1")]

    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_load.load_rows(Event, COLUMNS, rows)

    assert not Event.objects.exists()


def test_no_rows_are_no_work():
    assert bulk_load.load_rows(Event, COLUMNS, []) == 0
