"""What was approved and asked decides, not what was so a moment ago."""

import threading

import pytest
from django.db import connection, transaction

from analytics.models import CreditDecision, PolicyVersion
from analytics.selectors.credit import applicants
from analytics.services.credit import deciding, policies
from customers.models import Application
from tests.factories.credit import put_in_force
from tests.factories.people import make_people
from tests.golden.credit import POLICY
from tests.integration.analytics.services.credit.test_policies import (
    NOW,
    REASON,
    apply,
    decide,
    in_force,
    staff,
)

__all__ = ["in_force", "staff"]
pytestmark = [pytest.mark.django_db, pytest.mark.sql]
STRICT = {**POLICY, "hard_rules": {**POLICY["hard_rules"], "monthly_income": 10_000}}


def test_nobody_is_decided_by_a_policy_that_another_has_followed(in_force, staff, monkeypatch):
    """The new version is put in force while a long run is at its first page."""
    for number, person in enumerate(make_people(3)):
        apply(person, f"A{number}")
    strict = policies.propose_policy(actor=staff[0], content=STRICT, reason=REASON, now=NOW)
    load = applicants.load_facts

    def meanwhile(*args, **facts):
        if PolicyVersion.objects.get(pk=strict.pk).state == "proposed":
            put_in_force(staff[1], strict, NOW)
        return load(*args, **facts)

    monkeypatch.setattr(deciding, "_BATCH", 1)
    monkeypatch.setattr(applicants, "load_facts", meanwhile)
    assert decide().count == 1
    assert (decide().policy, CreditDecision.objects.filter(outcome="declined").count()) == (2, 2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [{"status": "cancelled"}, {"customer": "other"}])
def test_an_application_that_is_withdrawn_or_merged_at_this_moment_is_left_alone(in_force, change):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    person, other = make_people(2)
    made = apply(person, "A1")
    given = {"customer": other} if "customer" in change else change

    def beside():
        try:
            decide()
        finally:
            connection.close()

    with transaction.atomic():
        Application.objects.filter(pk=made.pk).update(**given)
        worker = threading.Thread(target=beside)
        worker.start()
        worker.join(1.0)
    worker.join(10)
    owners = set(CreditDecision.objects.values_list("customer_id", flat=True))
    assert owners <= ({other.pk} if "customer" in change else set())


@pytest.mark.django_db(transaction=True)
def test_of_two_versions_put_in_force_at_once_the_later_one_is_refused(in_force, staff):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    first, second = (
        policies.propose_policy(actor=staff[0], content=content, reason=REASON, now=NOW)
        for content in (POLICY, STRICT)
    )
    trouble = []

    def beside():
        try:
            put_in_force(staff[2], second, NOW)
        except Exception as error:  # noqa: BLE001 - whatever it is
            trouble.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        put_in_force(staff[1], first, NOW)
        worker = threading.Thread(target=beside)
        worker.start()
        worker.join(1.0)
    worker.join(10)
    states = dict(PolicyVersion.objects.order_by("number").values_list("number", "state"))
    assert [type(error) for error in trouble] == [policies.PolicyRefused]
    assert states == {1: "ended", 2: "active", 3: "proposed"}
