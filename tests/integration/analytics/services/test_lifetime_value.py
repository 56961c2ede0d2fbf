"""b5, S53: the lifetime value is a score with version and history, usable in rules."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.domain.lifetime_value import ASSUMPTIONS, VERSION
from analytics.services import lifetime_value
from campaigns.models import Message, Step
from customers.models import Instalment, Loan, Repayment, Score
from customers.selectors.segments import catalogue, references
from customers.selectors.segments.query import customers_matching
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, user_actor
from tests.factories.campaigns import make_approved, make_channel, make_run
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)


def _loan(person, **columns):
    values = {
        "source": "core",
        "external_id": f"L{person.pk}",
        "customer": person,
        "principal_amount": 1200,
        "annual_rate": Decimal("0.24"),
        "term_months": 3,
        "disbursed_on": date(2026, 2, 1),
        "outstanding_amount": 800,
    }
    loan = Loan.objects.create(**values | columns)
    Instalment.objects.bulk_create(
        Instalment(
            loan=loan, number=n, due_on=date(2026, 2 + n, 1), principal_amount=400,
            interest_amount=interest, fee_amount=5,
        )
        for n, interest in ((1, 24), (2, 16), (3, 8))
    )  # fmt: skip
    return loan


def _values(person):
    rows = Score.objects.filter(customer=person, is_latest=True, model_name__startswith="clv")
    return dict(rows.values_list("model_name", "value"))


def _run(actor, now=NOW):
    return lifetime_value.value_customers(actor=actor, as_of=TODAY, now=now)


@pytest.fixture
def borrower(actor, now):
    person, _stranger = make_people(2)
    loan = _loan(person)
    Repayment.objects.create(
        source="core", external_id="R1", loan=loan, paid_on=date(2026, 3, 1), amount=429
    )
    return person


def test_b5_clv_of_a_stored_loan_equals_the_hand_calculation(borrower, actor):
    found = _run(actor)

    given = ASSUMPTIONS
    # Received: 24 interest and 5 fees of the first instalment.
    so_far = 5 + 24 * (0.24 - given.funding_rate) / 0.24
    survival = (1 - 0.03) ** (1 / 12)
    to_come, alive = 0.0, 1.0
    for month, balance in ((1, 800.0), (2, 400.0)):
        before, alive = alive, alive * survival
        flow = (
            alive * (balance * (0.24 - given.funding_rate) / 12 - 1)
            - (before - alive) * given.loss_given_default * balance
        )
        to_come += flow / 1.1 ** (month / 12)
    assert _values(borrower) == {
        "clv_so_far": Decimal(f"{so_far:.2f}"),
        "clv_to_come": Decimal(f"{to_come:.2f}"),
        "clv": Decimal(f"{so_far:.2f}") + Decimal(f"{to_come:.2f}"),
    }
    assert (found.customer_count, found.version) == (1, VERSION)


def test_b5_a_new_value_keeps_the_old_one_and_the_same_adds_nothing(borrower, actor):
    _run(actor)
    assert _run(actor, NOW + timedelta(days=1)).changed_count == 0
    first = _values(borrower)["clv"]
    Repayment.objects.create(
        source="core", external_id="R2", loan=Loan.objects.get(), paid_on=TODAY, amount=421
    )
    Loan.objects.update(outstanding_amount=400)

    _run(actor, NOW + timedelta(days=2))

    rows = list(
        Score.objects.filter(customer=borrower, model_name="clv")
        .order_by("scored_at")
        .values_list("value", "is_latest", "version")
    )
    assert rows[0] == (first, False, VERSION)
    assert rows[1][1:] == (True, VERSION)


def test_what_messages_cost_is_taken_off(borrower, actor, now):
    make_channel()
    campaign = make_approved(actor, now)
    step = Step.objects.get(campaign=campaign)
    dispatch = make_run(campaign, step=step, due_at=now)
    _run(actor)
    before = _values(borrower)["clv_so_far"]
    Message.objects.create(
        dispatch=dispatch, customer=borrower, planned_at=now, cost_amount=Decimal("0.25")
    )

    _run(actor)

    assert _values(borrower)["clv_so_far"] == before - Decimal("0.25")


def test_a_charged_off_loan_costs_its_balance_and_promises_nothing(actor):
    (person,) = make_people(1)
    _loan(person, status="charged_off", outstanding_amount=1200, charged_off_on=TODAY)

    _run(actor)

    assert _values(person)["clv"] == _values(person)["clv_so_far"] == Decimal(-1200)


def test_b5_rules_read_it_as_a_field_with_a_name_in_both_languages(borrower, actor):
    _run(actor)
    label = catalogue.load_catalogue().scores["clv"].label
    rule = {
        "combinator": "and",
        "rules": [{"field": "score.clv", "operator": ">", "value": 10}],
    }

    tree, scope = references.load_rule(rule, now=NOW, zone=clock.company_zone())

    assert list(customers_matching(tree, scope)) == [borrower]
    assert (label.zh, label.en) == ("客户生命周期价值", "customer lifetime value")


def test_queries_do_not_grow_with_the_customers(actor):
    counts = []
    for size, prefix in ((2, "x"), (40, "y")):
        for person in make_people(size, prefix=prefix):
            _loan(person)
        with CaptureQueriesContext(connection) as caught:
            _run(actor)
        counts.append(len(caught))

    assert counts[1] <= counts[0] + 1


def test_who_may_not_score_values_nobody(borrower):
    with pytest.raises(PermissionRefused):
        _run(user_actor(User.objects.create_user("x")))
    assert not Score.objects.exists()
