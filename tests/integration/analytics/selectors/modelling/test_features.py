"""Columns of a time: exactly what was there by then, and nothing of what came later."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from analytics.domain.modelling.life.choices import ModelPurpose
from analytics.selectors.modelling import features
from analytics.selectors.modelling.columns import columns_for
from analytics.services.credit import loan_book
from customers.models import (
    Application,
    AttributeDefinition,
    AttributeValue,
    Customer,
    Event,
    EventType,
)
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.factories.loans import make_loan, on, pay
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

THEN = datetime(2025, 6, 15, 4, 0, tzinfo=UTC)
ACTOR = system_actor("test")


def event(person, name, moment, amount=None):
    kind = EventType.objects.get_or_create(name=name)[0]
    Event.objects.create(
        customer=person,
        type=kind,
        occurred_at=moment,
        received_at=moment,
        amount=amount,
        source="test",
        dedup_key=f"{person.pk}-{name}-{moment.isoformat()}",
    )


def attribute(name, person, value, moment, **columns):
    kind = "number" if isinstance(value, Decimal) else "text"
    definition, _created = AttributeDefinition.objects.get_or_create(
        name=name, defaults={"value_type": kind, **columns}
    )
    AttributeValue.objects.create(
        customer=person, definition=definition, updated_at=moment, **{kind: value}
    )


def change(name, person, value, moment):
    """Write another value of an attribute, as imports do."""
    AttributeValue.objects.filter(customer=person, definition__name=name).update(
        number=value, updated_at=moment
    )


def table_at(people, moments, purpose=ModelPurpose.DEFAULT_RISK, **options):
    known = columns_for(purpose)
    rows = features.Rows(
        np.array([person.pk for person in people], dtype=np.int64),
        np.array([features.microseconds(m) for m in moments], dtype=np.int64),
    )
    found = features.load_table(rows, list(known.values()), **options)
    return [
        {
            name: found.words[name][int(value)]
            if name in found.words and not np.isnan(value)
            else (None if np.isnan(value) else value)
            for name, value in zip(found.names, row, strict=True)
        }
        for row in found.values
    ]


def test_s3_every_column_is_as_it_was_at_the_time_of_its_row():
    one, two = make_people(2)
    for days in (400, 365, 364, 10):
        event(one, "app_login", THEN - timedelta(days=days))
    event(one, "repayment_made", THEN - timedelta(days=5), Decimal("120.50"))
    event(one, "app_login", THEN)
    event(two, "page_viewed", THEN - timedelta(days=1))
    make_loan(one, "old", on("2025-01-10"), amount=1200, months=12)
    make_loan(one, "same day", on("2025-06-15"), amount=5000)
    Application.objects.create(
        source="t", external_id="1", customer=one, amount=Decimal(800), channel="web",
        submitted_at=THEN - timedelta(days=9),
    )  # fmt: skip
    Application.objects.create(
        source="t", external_id="2", customer=one, amount=Decimal(900), channel="partner",
        submitted_at=THEN,
    )  # fmt: skip
    attribute("income", one, Decimal(7000), THEN)
    attribute("trade", two, "nurse", THEN - timedelta(days=1))
    loan_book.derive_loan_book(actor=ACTOR, as_of=on("2025-12-31"), now=THEN)

    earlier = THEN - timedelta(days=30)
    first, before, second = table_at([one, one, two], [THEN, earlier, THEN])
    assert first["app_login_count"] == 3, "365 days back is outside, the moment itself inside"
    assert (first["repayment_made_count"], first["repayment_amount"]) == (1, 120.5)
    assert first["days_since_active"] == 0
    assert (first["loan_count"], first["principal_amount"]) == (1, 1200)
    assert first["months_since_loan"] == 5
    # The last month that had ended is May: four instalments were due, none was paid.
    assert first["outstanding_amount"] == 1200
    assert first["max_dpd_days"] == 110
    assert (first["application_amount"], first["application_channel"]) == (900, "partner")
    assert first["attribute.income"] == 7000
    assert first["attribute.trade"] is None
    assert before["app_login_count"] == 2
    assert before["application_amount"] is None
    assert before["attribute.income"] is None
    assert before["max_dpd_days"] == 79
    assert second["attribute.trade"] == "nurse"
    assert (second["loan_count"], second["outstanding_amount"]) == (0, None)
    assert second["months_since_loan"] is None


def test_s3_whatever_is_done_to_the_future_changes_no_column():
    people = make_people(6, occupation="nurse", income_band="B")
    for at, person in enumerate(people):
        event(person, "app_login", THEN - timedelta(days=3 * at + 1))
        loan = make_loan(person, f"l{at}", on("2025-02-01"), amount=600 * (at + 1), months=6)
        pay(loan, (on("2025-03-01"), 100 * (at + 1)))
        attribute("income", person, Decimal(1000 * (at + 1)), THEN - timedelta(days=50))
        attribute("limit", person, Decimal(100 * (at + 1)), THEN - timedelta(days=90))
        change("limit", person, Decimal(200 * (at + 1)), THEN - timedelta(days=20))
        attribute("trade", person, "abc"[at % 3], THEN - timedelta(days=at))
    moments = [THEN + timedelta(days=at) for at in range(6)]
    loan_book.derive_loan_book(actor=ACTOR, as_of=on("2025-09-30"), now=THEN)
    before = table_at(people, moments)
    rng = np.random.default_rng(5)

    for at, person in enumerate(people):
        later = moments[at] + timedelta(minutes=1)
        for name in ("app_login", "repayment_made", "application_submitted"):
            for turn in range(int(rng.integers(1, 5))):
                event(person, name, later + timedelta(hours=turn), Decimal(9999))
        Application.objects.create(
            source="t", external_id=f"late{at}", customer=person, amount=Decimal(77777),
            channel="late", submitted_at=later,
        )  # fmt: skip
        attribute(f"new{at}", person, Decimal(5), later)
        # What the future does to attributes that are there: it changes, shuffles and removes them.
        change("income", person, Decimal(int(rng.integers(90_000, 99_000))), later)
        change("limit", person, Decimal(70_000), later)
        change("limit", person, Decimal(80_000), later + timedelta(days=1))
        AttributeValue.objects.filter(customer=person, definition__name="trade").delete()
        Customer.objects.filter(pk=person.pk).update(occupation="late", income_band="Z")
        make_loan(person, f"late{at}", later.date() + timedelta(days=1), amount=99999)
        loan = person.loans.get(external_id=f"l{at}")
        if at % 2:
            pay(loan, (moments[at].date() + timedelta(days=2), 600 * (at + 1)))
        loan.charged_off_on = on("2025-08-01") if at == 2 else None
        loan.max_dpd_days, loan.outstanding_amount = 500, Decimal(1)
        loan.save()
    loan_book.derive_loan_book(actor=ACTOR, as_of=on("2025-09-30"), now=THEN)
    after = [
        {name: value for name, value in row.items() if not name.startswith("attribute.new")}
        for row in table_at(people, moments)
    ]
    assert after == before
    # And what is known of the future is seen from there: the test can tell the difference.
    seen_later = table_at(people, [THEN + timedelta(days=90)] * 6)
    assert all(row["application_amount"] == 77777 for row in seen_later)
    assert all(row["attribute.income"] >= 90_000 for row in seen_later)
    assert all(row["attribute.limit"] == 80_000 for row in seen_later)
    seen_today = table_at(people, [clock.now() + timedelta(minutes=1)] * 6)
    assert all(row["attribute.trade"] is None for row in seen_today)
    assert {(row["occupation"], row["income_band"]) for row in before} == {("nurse", "B")}
    assert {(row["occupation"], row["income_band"]) for row in seen_today} == {("late", "Z")}


def test_an_attribute_is_what_it_was_at_the_time_of_each_row():
    one, two = make_people(2)
    days = [THEN - timedelta(days=back) for back in (40, 30, 20, 10)]
    attribute("income", one, Decimal(1000), days[1])
    change("income", one, Decimal(2000), days[2])
    change("income", one, Decimal(3000), days[3])
    attribute("income", two, Decimal(50), days[3])
    rows = table_at([one] * 4 + [two], [*days, days[0]])
    assert [row["attribute.income"] for row in rows] == [None, 1000, 2000, 3000, None]
    rows = table_at([one] * 4 + [two], [*days, days[0]], takes_values_of_today=True)
    # Today's only where nothing was in force yet.
    assert [row["attribute.income"] for row in rows] == [3000, 1000, 2000, 3000, 50]


def test_the_profile_is_what_it_was_and_of_three_columns_only():
    one, two = make_people(2, occupation="nurse", education="college", city="西安")
    created = one.created_at
    before = clock.now() - timedelta(minutes=1)
    Customer.objects.filter(pk=one.pk).update(occupation="driver")
    after = clock.now() + timedelta(minutes=1)
    rows = table_at([one] * 3 + [two], [created - timedelta(days=1), before, after, before])
    assert [row["occupation"] for row in rows] == [None, "nurse", "driver", "nurse"]
    assert [row["education"] for row in rows] == [None, *["college"] * 3]
    assert not {"city", "province", "marital", "gender"} & rows[0].keys()


def test_values_of_today_are_taken_only_where_that_was_asked_for():
    (one,) = make_people(1)
    attribute("income", one, Decimal(7000), THEN + timedelta(days=1))
    assert table_at([one], [THEN])[0]["attribute.income"] is None
    (row,) = table_at([one], [THEN], takes_values_of_today=True)
    assert row["attribute.income"] == 7000


def test_protected_attributes_are_never_columns_and_risk_only_ones_for_risk_only():
    (one,) = make_people(1)
    attribute("dti", one, Decimal("0.3"), THEN, is_risk_only=True)
    attribute("faith", one, "x", THEN, is_protected=True)
    attribute("both", one, Decimal(1), THEN, is_protected=True, is_risk_only=True)
    risk, response = columns_for(ModelPurpose.DEFAULT_RISK), columns_for(ModelPurpose.RESPONSE)
    assert risk["attribute.dti"].data_class == "risk_only"
    assert not {"attribute.dti", "attribute.faith", "attribute.both"} & response.keys()
    assert not {"attribute.faith", "attribute.both", "age", "gender", "marital"} & risk.keys()


def test_many_people_are_read_part_by_part_with_the_same_result(
    monkeypatch, django_assert_num_queries
):
    people = make_people(7)
    for at, person in enumerate(people):
        for turn in range(at):
            event(person, "app_login", THEN - timedelta(days=turn))
        attribute("trade", person, "abc"[at % 3], THEN)
    whole = table_at(people, [THEN] * 7)
    with django_assert_num_queries(1 + 8):
        table_at(people, [THEN] * 7)
    monkeypatch.setattr(features, "PEOPLE_AT_ONCE", 3)
    with django_assert_num_queries(1 + 3 * 8):
        assert table_at(people, [THEN] * 7) == whole
