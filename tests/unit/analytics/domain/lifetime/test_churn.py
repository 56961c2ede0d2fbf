"""Who has left, who settled early, and who came back for a further loan."""

from datetime import date

import pytest

from analytics.domain.lifetime.churn import (
    BorrowedLoan,
    churn_rate,
    contract_churn,
    early_rate,
    is_early,
    repeat_loan_rate,
)
from analytics.domain.lifetime.vocabulary import ChurnState

AS_OF = date(2026, 7, 1)


def _loan(drawn, settled=None, **more):
    days = drawn if isinstance(drawn, tuple) else (drawn,)
    return BorrowedLoan(days, settled, **more)


OLD = _loan(date(2025, 1, 1), date(2025, 12, 1))


@pytest.mark.parametrize(
    ("loans", "state"),
    [
        ([], "never_borrowed"),
        ([_loan(date(2026, 8, 1))], "never_borrowed"),
        ([OLD], "churned"),
        ([OLD, _loan(date(2026, 3, 1))], "active"),
        ([_loan(date(2025, 1, 1), date(2026, 1, 3))], "waiting"),
        ([_loan(date(2025, 1, 1), date(2026, 1, 2))], "churned"),
        ([_loan(date(2025, 1, 1), date(2026, 8, 1))], "active"),
        ([OLD, _loan(date(2025, 6, 1), defaulted_on=AS_OF)], "defaulted"),
        # A default of tomorrow is not seen today.
        ([OLD, _loan(date(2026, 1, 1), defaulted_on=date(2026, 7, 2))], "active"),
        ([OLD, _loan(date(2026, 1, 1), date(2026, 6, 1))], "waiting"),
    ],
)
def test_s52_contract_churn(loans, state):
    assert contract_churn(loans, as_of=AS_OF, window_days=180) is ChurnState(state)


def test_s52_churned_of_all_who_were_active_at_the_start():
    """Nobody drops out of the denominator: neither who defaulted nor who settled afterwards."""
    found = churn_rate(
        {
            ChurnState.ACTIVE: 2,
            ChurnState.CHURNED: 1,
            ChurnState.DEFAULTED: 1,
            ChurnState.WAITING: 1,
        }
    )
    assert (found.successes, found.trials) == (1, 5)
    assert churn_rate({}).rate is None


@pytest.mark.parametrize(
    ("loan", "early"),
    [
        (_loan(date(2025, 1, 1)), None),
        (_loan(date(2025, 1, 1), date(2025, 6, 1)), None),
        (_loan(date(2025, 1, 1), date(2025, 6, 1), due_on=date(2025, 7, 1)), True),
        (_loan(date(2025, 1, 1), date(2025, 6, 2), due_on=date(2025, 7, 1)), False),
        (_loan(date(2025, 1, 1), date(2025, 8, 1), due_on=date(2025, 7, 1)), False),
        (
            _loan(
                *(date(2025, 1, 1), date(2025, 3, 1)),
                due_on=date(2026, 1, 1),
                defaulted_on=date(2025, 2, 1),
            ),
            None,
        ),
    ],
)
def test_s50_early_settlement(loan, early):
    assert is_early(loan) is early


def test_s50_the_rate_of_early_settlement_leaves_out_what_is_not_known():
    early = _loan(date(2025, 1, 1), date(2025, 6, 1), due_on=date(2025, 7, 1))
    late = _loan(date(2025, 1, 1), date(2025, 6, 2), due_on=date(2025, 7, 1))
    found = early_rate([(early, 2), (late, 5), (OLD, 9)])
    assert (found.successes, found.trials) == (2, 7)


def test_repeat_loans_of_those_of_whom_it_is_known():
    again = [OLD, _loan(date(2026, 2, 1))]
    meanwhile = [OLD, _loan(date(2025, 6, 1))]
    too_late = [OLD, _loan(date(2026, 6, 30))]
    unknown = [_loan(date(2025, 1, 1), date(2026, 6, 1))]
    known_already = [_loan(date(2025, 1, 1), date(2026, 6, 1)), _loan(date(2026, 6, 20))]
    running, lost = [_loan(date(2025, 1, 1))], [_loan(date(2024, 1, 1), defaulted_on=AS_OF)]
    people = [again, meanwhile, too_late, [OLD], unknown, known_already, running, lost, []]
    found = repeat_loan_rate([(loans, 2) for loans in people], as_of=AS_OF, window_days=180)
    assert (found.successes, found.trials) == (6, 10)
