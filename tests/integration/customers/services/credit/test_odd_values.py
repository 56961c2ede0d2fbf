"""Odd numbers and names of credit facts harm nobody, least of all other people."""

import threading
from decimal import Decimal

import pytest
from django.db import connection, transaction

from customers.domain.fields.catalogue import RuleUse
from customers.models import AttributeDefinition, AttributeValue, IncomeFlow
from customers.selectors.segments.catalogue import load_catalogue
from customers.services.credit.attributes import (
    refresh_credit_attributes,
    write_credit_attributes,
)
from tests.factories.sources import make_source
from tests.integration.customers.services.credit.test_taking import (
    bought,
    flow,
    line,
    people,
    pull,
    shown,
    take_in,
)

__all__ = ["people", "take_in"]
pytestmark = [pytest.mark.django_db, pytest.mark.sql]

HUGE = "999999999999.99"
MOST = Decimal(10) ** 14 - 1


@pytest.fixture
def shop(now):
    """A vendor whose contract covers marketing."""
    return make_source("shop", kind="vendor")


def test_no_number_of_one_person_stops_those_of_others(take_in, people, actor, now):
    """A limit of a cent, incomes of a billion: what attributes cannot hold is held as the most."""
    take_in("pulls", pull(), pull(external_id="p2", customer_id="c2"))
    found = take_in(
        "tradelines",
        line(limit_amount="0.01", balance_amount=HUGE),
        line(external_id="t2", pull_id="p2"),
    )
    assert found.created == 2
    take_in("flows", flow(monthly_amount="0.01"), flow(external_id="o", kind="obligation",
                                                       monthly_amount=HUGE))  # fmt: skip
    many = [flow(external_id=f"m{n}", customer_id="c2", monthly_amount=HUGE) for n in range(101)]
    take_in("flows", *many)
    refresh_credit_attributes(actor=actor, now=now)
    first, second = shown(people[0]), shown(people[1])
    assert (first["bureau_utilisation"], first["dti"]) == (Decimal(99999999999999), MOST)
    assert second["bureau_utilisation"] == Decimal("0.93")
    assert second["income_monthly"] == MOST


def test_an_amount_that_is_rounded_up_to_more_than_fits_is_refused(take_in, people):
    found = take_in("flows", flow(monthly_amount="999999999999.995"), flow(external_id="f2"))
    assert (found.created, dict(found.by_reason)) == (1, {"amount_invalid": 1})


def test_a_value_that_marketing_may_not_use_never_hides_behind_the_name_of_another(
    take_in, people, shop
):
    make_source("bureau", kind="vendor", purposes=["service"])
    take_in(
        "vendor_values",
        bought(name="risk_score", value="1"),
        bought(external_id="v2", customer_id="c2", name="score", value="2", vendor="bureau"),
    )
    (secret,) = shown(people[1])
    assert AttributeDefinition.objects.get(name=secret).is_risk_only
    assert f"attribute.{secret}" not in load_catalogue().for_use(RuleUse.MARKETING).fields
    (open_name,) = shown(people[0])
    assert not AttributeDefinition.objects.get(name=open_name).is_risk_only


def test_values_of_different_names_and_types_are_different_attributes(take_in, people, shop):
    long = "n" * 47
    take_in(
        "vendor_values",
        bought(name="x", value="high"),
        bought(external_id="v2", name="x_text", value="1"),
        bought(external_id="v3", name=f"{long}abc", value="2", vendor="other"),
        bought(external_id="v4", name=f"{long}abd", value="3", vendor="other"),
        bought(external_id="v5", name=f"{long}abd", value="low", customer_id="c2", vendor="other"),
    )
    assert sorted(map(str, shown(people[0]).values())) == [
        "1.000000",
        "2.000000",
        "3.000000",
        "high",
    ]
    (text,) = shown(people[1])
    assert AttributeDefinition.objects.get(name=text).value_type == "text"


def test_an_attribute_of_the_lender_stays_whatever_it_is_called(take_in, people, actor, now):
    for name in ("vendor_code", "dti"):
        definition = AttributeDefinition.objects.create(name=name, value_type="number")
        AttributeValue.objects.create(
            customer=people[0], definition=definition, number=7, source="crm", updated_at=now
        )
    take_in("pulls", pull())
    refresh_credit_attributes(actor=actor, now=now)
    found = shown(people[0])
    assert (found["vendor_code"], found["dti"]) == (7, 7)


@pytest.mark.django_db(transaction=True)
def test_older_facts_never_replace_what_newer_ones_said(take_in, people, now):
    """Somebody derives while a change of the same person's facts is about to be committed."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    take_in("flows", flow(monthly_amount="8000"))
    AttributeValue.objects.all().delete()

    def derive():
        try:
            with transaction.atomic():
                write_credit_attributes(customer_ids=[people[0].pk], now=now)
        finally:
            connection.close()

    beside = threading.Thread(target=derive)
    with transaction.atomic():
        take_in("flows", flow(monthly_amount="12000"))
        beside.start()
        beside.join(1.0)
    beside.join(10)
    assert shown(people[0])["income_monthly"] == 12000


def test_characters_that_no_database_stores_stop_nothing(take_in, people):
    found = take_in(
        "flows",
        flow(label="a\x00b", joint_reference="\x00"),
        flow(external_id="f2", label="\ud800"),
    )
    assert found.created == 2
    assert set(IncomeFlow.objects.values_list("label", flat=True)) == {"ab", "?"}
    take_in("vendor_values", bought(value="hi\x00gh"))
    assert "high" in shown(people[0]).values()
