"""The database writes down what was in force before, whoever changes or removes it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection

from customers.domain.values.spells import PROFILE_COLUMNS
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Customer,
    PastAttribute,
    PastProfile,
)
from loancrm.kernel import clock
from loancrm.kernel.changes import history
from loancrm.kernel.database import bulk
from loancrm.kernel.running import readiness
from tests.factories.people import LONG_AGO, make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

FIRST = datetime(2025, 6, 1, tzinfo=UTC)
SECOND = FIRST + timedelta(days=30)
_DROP = {
    "postgresql": "DROP TRIGGER loancrm_history ON customers_customer",
    "sqlite": "DROP TRIGGER loancrm_history_update_customers_customer",
}
_WEAKEN = {
    "postgresql": "ALTER TABLE customers_customer DISABLE TRIGGER loancrm_history",
    "sqlite": (
        "CREATE TRIGGER loancrm_history_update_customers_customer"
        " AFTER UPDATE OF occupation ON customers_customer BEGIN SELECT 1; END"
    ),
}


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def value():
    (person,) = make_people(1)
    definition = AttributeDefinition.objects.create(name="income", value_type="number")
    return AttributeValue.objects.create(
        customer=person, definition=definition, number=Decimal(7000), updated_at=FIRST
    )


def by_save(value):
    value.number, value.updated_at = Decimal(8000), SECOND
    value.save()


def by_update(value):
    AttributeValue.objects.filter(pk=value.pk).update(number=Decimal(8000), updated_at=SECOND)


def by_bulk_update(value):
    value.number, value.updated_at = Decimal(8000), SECOND
    AttributeValue.objects.bulk_update([value], ["number", "updated_at"])


def by_update_rows(value):
    columns, row = ["number", "updated_at"], (value.pk, Decimal(8000), SECOND)
    bulk.update_rows(AttributeValue, key="id", columns=columns, rows=[row])


def by_conflict(value):
    row = AttributeValue(
        customer_id=value.customer_id,
        definition_id=value.definition_id,
        number=Decimal(8000),
        updated_at=SECOND,
    )
    AttributeValue.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["customer", "definition"],
        update_fields=["number", "updated_at"],
    )


def by_sql(_value):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_attributevalue SET number = 8000, updated_at = %s",
            [connection.ops.adapt_datetimefield_value(SECOND)],
        )


@pytest.mark.parametrize(
    "write", [by_save, by_update, by_bulk_update, by_update_rows, by_conflict, by_sql]
)
def test_every_way_of_writing_leaves_what_was_before(value, write):
    assert not PastAttribute.objects.exists(), "what is only added has no past"
    write(value)
    assert AttributeValue.objects.get().number == 8000
    past = PastAttribute.objects.get()
    assert (past.customer_id, past.definition_id) == (value.customer_id, value.definition_id)
    assert (past.number, past.text, past.day, past.flag) == (7000, None, None, None)
    assert (past.began_at, past.ended_at) == (FIRST, SECOND)


def test_what_is_written_as_it_was_has_no_past(value):
    AttributeValue.objects.update(number=Decimal(7000), updated_at=FIRST, source="other")
    assert not PastAttribute.objects.exists()


@pytest.mark.parametrize("moment", [None, FIRST, FIRST - timedelta(days=9)])
def test_a_writer_who_names_no_later_time_has_written_now(value, moment):
    """Else the new value would seem to have been there all along."""
    before = clock.now()
    AttributeValue.objects.update(number=Decimal(8000), updated_at=moment or FIRST)
    past = PastAttribute.objects.get()
    assert past.began_at == FIRST
    assert past.ended_at >= before - timedelta(milliseconds=1)


def test_what_is_removed_was_in_force_until_now(value):
    before = clock.now()
    AttributeValue.objects.filter(pk=value.pk).delete()
    past = PastAttribute.objects.get()
    assert (past.number, past.began_at) == (7000, FIRST)
    assert past.ended_at >= before - timedelta(milliseconds=1)


def test_the_profile_keeps_three_columns_and_no_other():
    one, two = make_people(2, occupation="nurse", income_band="B")
    Customer.objects.filter(pk=one.pk).update(city="西安", gender="male", birth_date=None)
    assert not PastProfile.objects.exists()
    assert Customer.objects.get(pk=one.pk).profile_since is None

    Customer.objects.filter(pk=one.pk).update(occupation="driver")
    since = Customer.objects.get(pk=one.pk).profile_since
    Customer.objects.filter(pk=one.pk).update(income_band="", city="宝鸡")
    first, second = PastProfile.objects.order_by("pk")
    assert (first.customer_id, first.occupation, first.income_band) == (one.pk, "nurse", "B")
    assert (first.began_at, first.ended_at) == (LONG_AGO, since)
    assert (second.occupation, second.income_band) == ("driver", "B")
    assert second.began_at == since
    assert second.ended_at == Customer.objects.get(pk=one.pk).profile_since
    assert Customer.objects.get(pk=two.pk).profile_since is None
    tables = settings.LOANCRM_MANIFESTS.past_tables
    assert tables["customers.Customer"].columns == PROFILE_COLUMNS
    kept = {field.name for field in PastProfile._meta.fields}
    assert kept == {
        *("id", "customer", "occupation", "education", "income_band", "began_at", "ended_at")
    }


def test_whoever_is_removed_leaves_no_past(value):
    (other,) = make_people(1, prefix="q", occupation="nurse")
    Customer.objects.update(occupation="driver")
    by_update(value)
    AttributeValue.objects.create(
        customer=other, definition_id=value.definition_id, number=Decimal(1), updated_at=FIRST
    )
    AttributeValue.objects.filter(customer=other).update(number=Decimal(2), updated_at=SECOND)
    assert PastAttribute.objects.count() == PastProfile.objects.count() == 2

    # The value that is in force goes with the person, and must leave nothing either.
    Customer.objects.filter(pk=value.customer_id).delete()
    assert PastAttribute.objects.get().customer_id == other.pk
    assert PastProfile.objects.get().customer_id == other.pk
    AttributeValue.objects.all().delete()
    AttributeDefinition.objects.all().delete()
    assert not PastAttribute.objects.exists(), "an attribute takes its past along"


def test_missing_and_weakened_triggers_are_found_and_put_back():
    assert history.missing() == []
    execute(_DROP[connection.vendor])
    assert history.missing() == [Customer]
    assert [finding.code for finding in readiness.database_findings()] == ["history_not_kept"]
    history.install()
    if connection.vendor == "sqlite":
        execute(_DROP["sqlite"])
    execute(_WEAKEN[connection.vendor])
    assert history.missing() == [Customer]
    history.install()
    assert history.missing() == []
    assert readiness.database_findings() == []
