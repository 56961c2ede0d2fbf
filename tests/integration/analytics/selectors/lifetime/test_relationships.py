"""How long borrowers stay: the database's counts against each borrower's loans."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from analytics.domain.lifetime.churn import ChurnState, contract_churn
from analytics.selectors.lifetime.relationships import load_relationships
from customers.models import Customer
from customers.services import scores
from customers.services.scores import GivenScore
from loancrm.kernel.access import system_actor
from tests.integration.analytics.selectors.lifetime.test_borrowers import TODAY, planted

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
UNTIL = TODAY - timedelta(days=180)


def month(day):
    return day.year * 12 + day.month


def span(loans):
    """Return what is known of one borrower by the end of the window."""
    known = [loan for loan in loans if loan.drawn_on[0] <= TODAY]
    first = min(loan.drawn_on[0] for loan in known)
    lost = [x.defaulted_on for x in known if x.defaulted_on and x.defaulted_on <= UNTIL]
    if lost:
        return month(min(lost)) - month(first) + 1, True
    settled = [loan.settled_on for loan in known]
    if all(day and day <= UNTIL for day in settled):
        assert contract_churn(
            [x for x in known if not x.defaulted_on], as_of=TODAY
        ) in (ChurnState.CHURNED, ChurnState.NEVER_BORROWED)  # fmt: skip
        return month(max(settled)) - month(first) + 1, True
    return month(UNTIL) - month(first), False


def test_s53_spans_equal_those_of_every_borrower(now, django_assert_num_queries):
    books = planted(count=120)
    wanted = Counter(
        span(loans) for loans in books if loans and min(x.drawn_on[0] for x in loans) <= UNTIL
    )
    with django_assert_num_queries(2):
        found = load_relationships(today=TODAY)
    assert found.until == UNTIL
    assert found.margin is None, "nobody was valued"
    counted = Counter()
    for months, is_over, count in found.spans:
        counted[months, is_over] += count
    assert counted == wanted
    assert {is_over for _months, is_over in wanted} == {True, False}

    person = Customer.objects.order_by("pk")[0]
    scores.record_scores(
        actor=system_actor("test"),
        model_name="clv_so_far",
        version="1",
        scores=[GivenScore(person.pk, Decimal(500))],
        now=now,
    )
    months = sum(each * count for (each, _is_over), count in wanted.items())
    assert load_relationships(today=TODAY).margin == pytest.approx(500 / months)


def test_nobody_has_stayed_where_nobody_borrowed():
    found = load_relationships(today=date(2026, 1, 1))
    assert (list(found.spans), found.margin) == ([], None)
