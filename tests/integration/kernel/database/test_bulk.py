"""Set-based updates, alone and several at once."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from loancrm.kernel.database import bulk
from loancrm.kernel.database.bulk import Statement
from tests.factories.people import make_people

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def cities():
    return list(Customer.objects.order_by("pk").values_list("city", flat=True))


def moved(people, city, *, where=None, condition=None):
    return bulk.update_statement(
        Customer,
        key="id",
        columns=(),
        rows=[(person.pk,) for person in people],
        constants={"city": city},
        where=where,
        condition=condition,
    )


def test_rows_get_values_of_their_own():
    people = make_people(3)
    changed = bulk.update_rows(
        Customer,
        key="id",
        columns=("city", "gender"),
        rows=[(people[0].pk, "成都", "male"), (people[2].pk, "西安", "female")],
    )
    assert sorted(changed) == [people[0].pk, people[2].pk]
    assert [cities()[0], cities()[2]] == ["成都", "西安"]


def test_only_rows_that_still_hold_a_value_are_changed():
    people = make_people(2)
    Customer.objects.filter(pk=people[0].pk).update(city="成都")
    Customer.objects.filter(pk=people[1].pk).update(city="西安")
    found = bulk.run_all([moved(people, "青岛", where={"city": "西安"})])
    assert found == [[people[1].pk]]
    assert cities() == ["成都", "青岛"]


@pytest.mark.parametrize(("bound", "count"), [(1, 2), (2, 0)])
def test_a_condition_over_no_row_holds_for_all_or_none(bound, count):
    people = make_people(2)
    condition = Statement("EXISTS (SELECT 1 WHERE %s = 1)", [bound])
    assert len(bulk.run_all([moved(people, "青岛", condition=condition)])[0]) == count


def test_statements_together_run_in_their_order_and_each_returns_its_own():
    people = make_people(3)
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        found = bulk.run_all(
            [
                moved(people[:2], "成都"),
                moved(people, "西安", where={"city": "成都"}),
                moved(people[2:], "青岛"),
            ]
        )
    assert [sorted(keys) for keys in found] == [
        [person.pk for person in people[:2]],
        [person.pk for person in people[:2]],
        [people[2].pk],
    ]
    assert cities() == ["西安", "西安", "青岛"]
    assert len(captured) == (1 if connection.vendor == "postgresql" else 3)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's planner takes the key")
def test_statistics_are_kept_of_what_a_query_compares():
    with CaptureQueriesContext(connection) as captured:
        bulk.refresh_statistics(Customer)
    (asked,) = [each["sql"] for each in captured.captured_queries]
    assert '"city"' in asked
    assert '"merged_into_id"' in asked
    assert "sealed" not in asked
    assert "field_sources" not in asked


def test_nothing_to_do_asks_nothing():
    with CaptureQueriesContext(connection) as captured:
        assert bulk.run_all([]) == []
        assert bulk.update_rows(Customer, key="id", columns=("city",), rows=[]) == []
    assert len(captured) == 0


def test_reserved_keys_belong_to_nobody_else():
    stored = make_people(2)
    with transaction.atomic():
        reserved = bulk.new_ids(Customer, 3)
        rows = [Customer(pk=pk, created_at=NOW, updated_at=NOW) for pk in reserved]
        Customer.objects.bulk_create(rows)
    later = Customer.objects.create(created_at=NOW, updated_at=NOW)
    assert len({*reserved, *(person.pk for person in [*stored, later])}) == 6
    assert min(reserved) > max(person.pk for person in stored)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's planner takes the key")
def test_rows_are_looked_up_by_their_key_even_in_a_small_table():
    people = make_people(3)
    bulk.refresh_statistics(Customer)
    rows = Customer.objects.filter(pk__any_of=[person.pk for person in people])
    # Without it three rows are scanned, unless tests before have left a table of many dead ones.
    with bulk.by_key():
        assert "Seq Scan" not in rows.explain()
