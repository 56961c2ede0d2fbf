"""Signals of a person, each on facts in and out of its reach."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.warning.facts import PersonFacts, ReportFacts, ScoredBand, WatchedLoan
from analytics.domain.warning.rules import DEFAULT_RULES
from analytics.domain.warning.signals import PERSON_SIGNALS, Signal, SignalLimits, evaluate_signal
from customers.domain.loans.instalments import ScheduledInstalment
from customers.domain.loans.loan import Payment

START = date(2026, 1, 10)
DUE = (date(2026, 2, 10), date(2026, 3, 10), date(2026, 4, 10), date(2026, 5, 10))
HUNDRED = Decimal(100)


def loan(*payments, **fields):
    schedule = tuple(
        ScheduledInstalment(number, due, HUNDRED, Decimal(0), Decimal(0))
        for number, due in enumerate(DUE, start=1)
    )
    paid = tuple(Payment(day, Decimal(amount)) for day, amount in payments)
    return WatchedLoan(1, START, schedule, paid, **fields)


def person(*loans, **fields):
    return PersonFacts(7, loans=loans or (loan(),), **fields)


def report(day, used=None, inquiries=0):
    return ReportFacts(day, None if used is None else Decimal(used), inquiries)


MISSED = SignalLimits(days=3)
UP = SignalLimits(days=5, window_days=30)
PARTIAL = SignalLimits(count=2, window_days=45)
USED = SignalLimits(level=Decimal("0.9"), rise=Decimal("0.3"), window_days=90)
ASKED = SignalLimits(count=3, window_days=30)
CHANGED = SignalLimits(days=21, window_days=60)
SALARY = SignalLimits(days=45, window_days=120)
SCORE = SignalLimits(count=1, window_days=90)


def scored(model, day, rank, *, version="v1"):
    """Return a band that the champion gave."""
    return ScoredBand(model, day, rank, version, is_champion=True)


@pytest.mark.parametrize(
    ("facts", "on", "speaks"),
    [
        (person(), date(2026, 2, 12), False),
        (person(), date(2026, 2, 13), True),
        (person(loan((date(2026, 2, 13), "99.99"))), date(2026, 2, 13), True),
        (person(loan((date(2026, 2, 13), "100"))), date(2026, 2, 13), False),
        (person(loan((date(2026, 2, 20), "100"))), date(2026, 2, 13), True),
        (person(loan(closed_on=date(2026, 2, 1))), date(2026, 2, 13), False),
        (person(loan(charged_off_on=date(2026, 2, 12))), date(2026, 2, 13), False),
        (person(loan((DUE[0], "100"))), date(2026, 3, 20), False),
        (PersonFacts(7), date(2026, 2, 13), False),
    ],
)
def test_a_first_payment_is_missed_some_days_after_it_was_due(facts, on, speaks):
    assert (
        evaluate_signal(Signal.FIRST_PAYMENT_MISSED, facts, MISSED, on=on) is not None
    ) == speaks


@pytest.mark.parametrize(
    ("payments", "on", "speaks"),
    [
        ([(DUE[0], "100")], date(2026, 3, 14), False),
        ([(DUE[0], "100")], date(2026, 3, 15), True),
        # Late by as much as a month ago: no worse than then.
        ([], date(2026, 2, 20), True),
        ([(date(2026, 3, 1), "100"), (date(2026, 4, 1), "100")], date(2026, 4, 9), False),
        # From 1-30 days into 31-60.
        ([], date(2026, 3, 14), True),
    ],
)
def test_a_loan_goes_up_a_bucket_within_the_window(payments, on, speaks):
    found = evaluate_signal(Signal.BUCKET_UP, person(loan(*payments)), UP, on=on)
    assert (found is not None) == speaks


@pytest.mark.parametrize(
    ("payments", "speaks"),
    [
        ([(DUE[0], "40"), (DUE[1], "100")], True),
        ([(DUE[0], "40")], False),
        ([(DUE[0], "100"), (DUE[1], "40")], False),
        ([], False),
        ([(DUE[0], "100"), (DUE[1], "100")], False),
    ],
)
def test_two_instalments_in_a_row_are_paid_in_part(payments, speaks):
    found = evaluate_signal(
        Signal.PARTIAL_PAYMENTS, person(loan(*payments)), PARTIAL, on=date(2026, 3, 11)
    )
    assert (found is not None) == speaks


@pytest.mark.parametrize(
    ("reports", "speaks"),
    [
        ([report(date(2026, 3, 1), "0.95")], False),
        ([report(date(2026, 2, 1), "0.91"), report(date(2026, 3, 1), "0.95")], True),
        ([report(date(2026, 2, 1), "0.9"), report(date(2026, 3, 1), "0.95")], False),
        ([report(date(2026, 2, 1), "0.3"), report(date(2026, 3, 1), "0.6")], True),
        ([report(date(2025, 10, 1), "0.3"), report(date(2026, 3, 1), "0.6")], False),
        ([report(date(2026, 2, 1), "0.91"), report(date(2026, 3, 1), "0.95")] * 0, False),
        ([report(date(2026, 2, 1)), report(date(2026, 3, 1), "0.95")], False),
        ([report(date(2025, 9, 1), "0.91"), report(date(2025, 10, 1), "0.95")], False),
    ],
)
def test_limits_are_used_up_in_two_reports_or_quickly(reports, speaks):
    found = evaluate_signal(
        Signal.UTILISATION_HIGH, person(reports=reports), USED, on=date(2026, 3, 2)
    )
    assert (found is not None) == speaks


@pytest.mark.parametrize(
    ("reports", "speaks"),
    [
        ([report(date(2026, 3, 1), inquiries=2)], False),
        ([report(date(2026, 3, 1), inquiries=3)], True),
        ([report(date(2026, 2, 1), inquiries=9), report(date(2026, 3, 1), inquiries=0)], False),
        ([report(date(2026, 1, 1), inquiries=9)], False),
        ([report(date(2026, 3, 3), inquiries=9)], False),
    ],
)
def test_many_ask_about_the_person(reports, speaks):
    found = evaluate_signal(
        Signal.INQUIRIES_MANY, person(reports=reports), ASKED, on=date(2026, 3, 2)
    )
    assert (found is not None) == speaks


@pytest.mark.parametrize(
    ("changed", "active", "speaks"),
    [
        (date(2026, 2, 1), date(2026, 1, 31), True),
        (date(2026, 2, 1), None, True),
        (date(2026, 2, 1), date(2026, 2, 20), False),
        (date(2026, 2, 20), date(2026, 2, 19), False),
        (date(2025, 12, 1), None, False),
        (None, None, False),
        (date(2026, 3, 9), None, False),
    ],
)
def test_a_changed_number_and_silence(changed, active, speaks):
    facts = person(contact_changed_on=changed, last_active_on=active)
    found = evaluate_signal(Signal.CONTACT_CHANGED, facts, CHANGED, on=date(2026, 3, 1))
    assert (found is not None) == speaks


@pytest.mark.parametrize(
    ("days", "speaks"),
    [
        ([date(2025, 11, 10), date(2025, 12, 10), date(2026, 1, 9)], True),
        ([date(2025, 12, 10), date(2026, 1, 9)], False),
        ([date(2025, 12, 10), date(2026, 1, 9), date(2026, 2, 9)], False),
        ([date(2025, 6, 1), date(2025, 7, 1), date(2025, 7, 31)], False),
        ([], False),
    ],
)
def test_money_came_in_every_month_and_then_none(days, speaks):
    found = evaluate_signal(
        Signal.SALARY_STOPPED, person(credited_on=days), SALARY, on=date(2026, 3, 1)
    )
    assert (found is not None) == speaks


@pytest.mark.parametrize(
    ("ranks", "speaks"),
    [
        ([(date(2026, 2, 1), 0), (date(2026, 2, 20), 1)], False),
        ([(date(2026, 2, 1), 0), (date(2026, 2, 20), 2)], True),
        ([(date(2025, 6, 1), 0), (date(2026, 2, 20), 2)], True),
        ([(date(2025, 6, 1), 0), (date(2025, 10, 1), 2)], False),
        ([(date(2026, 2, 1), 3), (date(2026, 2, 20), 1)], False),
        ([(date(2026, 2, 1), 0), (date(2026, 3, 20), 4)], False),
        ([(date(2026, 2, 1), 4)], False),
    ],
)
def test_a_score_falls_by_more_than_one_band(ranks, speaks):
    scores = [scored("pd", day, rank) for day, rank in ranks]
    found = evaluate_signal(Signal.SCORE_DROPPED, person(scores=scores), SCORE, on=date(2026, 3, 1))
    assert (found is not None) == speaks


def drop_of(*scores, limits=SCORE):
    return evaluate_signal(Signal.SCORE_DROPPED, person(scores=scores), limits, on=date(2026, 3, 1))


def test_scores_of_two_models_are_not_compared():
    assert drop_of(scored("pd", date(2026, 2, 1), 0), scored("churn", date(2026, 2, 9), 4)) is None


def test_only_the_champion_for_the_risk_of_default_counts_where_no_score_is_named():
    other = [
        ScoredBand("response", date(2026, 2, 1), 0, "v1"),
        ScoredBand("response", date(2026, 2, 9), 4, "v1"),
    ]
    assert drop_of(*other) is None
    assert drop_of(*other, limits=replace(SCORE, score_model="response")) is not None


def test_a_named_score_keeps_the_champion_out():
    scores = [scored("pd", date(2026, 2, 1), 0), scored("pd", date(2026, 2, 9), 4)]
    assert drop_of(*scores) is not None
    assert drop_of(*scores, limits=replace(SCORE, score_model="bureau")) is None


def test_bands_of_two_versions_are_not_compared():
    old = scored("pd", date(2026, 2, 1), 0, version="v1")
    new = [scored("pd", date(2026, 2, 9), 4, version="v2")]
    assert drop_of(old, *new) is None
    new.append(scored("pd", date(2026, 2, 19), 6, version="v2"))
    assert drop_of(old, *new).facts == {"bands": 2}


@given(
    later=st.lists(
        st.tuples(st.integers(1, 200), st.decimals(1, 500, places=2)), min_size=1, max_size=5
    ),
    on=st.dates(date(2026, 1, 10), date(2026, 6, 30)),
    signal=st.sampled_from(sorted(PERSON_SIGNALS)),
)
def test_nothing_that_comes_later_changes_what_a_signal_says(later, on, signal):
    limits = next(rule.limits for rule in DEFAULT_RULES if rule.signal == signal)
    days = [on + timedelta(days=number) for number, _amount in later]
    before = person(loan((DUE[0], "40")))
    after = person(
        loan(
            (DUE[0], "40"), *((day, amount) for day, (_n, amount) in zip(days, later, strict=True))
        ),
        reports=[report(day, "0.99", 9) for day in sorted(days)],
        scores=[scored("pd", day, 5) for day in sorted(days)],
        credited_on=sorted(days),
    )
    assert evaluate_signal(signal, before, limits, on=on) == evaluate_signal(
        signal, after, limits, on=on
    )
