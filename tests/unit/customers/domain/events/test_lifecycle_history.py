from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from customers.domain.events.lifecycle import LifecycleFacts, LifecycleStage, Occurrences, stage_of
from customers.domain.events.lifecycle_history import LoanSpan, StageFacts, stage_history

START = datetime(2025, 1, 1, tzinfo=UTC)
NAMES = (
    "application_submitted",
    "application_approved",
    "application_declined",
    "loan_disbursed",
    "loan_settled",
)


def _day(number):
    return START + timedelta(days=number)


def _path(facts, as_of):
    return [(stay.stage.value, (stay.entered_at - START).days) for stay in _stays(facts, as_of)]


def _stays(facts, as_of):
    return stage_history(facts, as_of=as_of)


def test_b5_a_borrower_goes_through_every_stage_and_comes_back():
    facts = StageFacts(
        known_from=_day(0),
        occurred={
            "application_submitted": [_day(3)],
            "application_approved": [_day(5)],
            "loan_disbursed": [_day(600), _day(6)],
            "loan_settled": [_day(100)],
        },
    )

    assert _path(facts, _day(700)) == [
        ("lead", 0),
        ("applicant", 3),
        ("approved", 5),
        ("active", 6),
        ("repaid", 100),
        ("dormant", 190),
        ("churned", 465),
        ("won_back", 600),
    ]


def test_loan_rows_alone_tell_the_same_path():
    facts = StageFacts(
        known_from=_day(0), loans=[LoanSpan(_day(6), _day(100)), LoanSpan(_day(150))]
    )

    assert _path(facts, _day(700)) == [("lead", 0), ("active", 6), ("repaid", 100), ("active", 150)]


def test_what_happened_before_the_customer_was_known_leaves_no_time_as_a_lead():
    facts = StageFacts(known_from=_day(50), occurred={"application_submitted": [_day(3)]})

    assert _path(facts, _day(60)) == [("applicant", 3)]


def test_nothing_after_the_asked_time_counts():
    facts = StageFacts(known_from=_day(0), loans=[LoanSpan(_day(6), _day(100))])

    assert _path(facts, _day(99)) == [("lead", 0), ("active", 6)]


_TIMES = st.lists(st.integers(1, 900).map(_day), min_size=1, max_size=4)
_EVENTS = st.dictionaries(st.sampled_from(NAMES), _TIMES)


@given(occurred=_EVENTS, ask=st.integers(0, 1300))
def test_s46_every_set_of_events_yields_exactly_one_stage_at_every_moment(occurred, ask):
    as_of = _day(ask)
    known_from = START - timedelta(days=1)
    stays = _stays(StageFacts(known_from=known_from, occurred=occurred), as_of)
    past = {name: sorted(t for t in times if t <= as_of) for name, times in occurred.items()}
    seen = {name: Occurrences(len(t), t[0], t[-1]) for name, t in past.items() if t}

    assert stays[-1].stage is stage_of(LifecycleFacts(occurrences=seen), as_of=as_of)
    assert stays[0].entered_at == known_from
    assert stays[-1].left_at is None
    for before, after in pairwise(stays):
        assert before.left_at == after.entered_at > before.entered_at
        assert before.stage is not after.stage
    assert all(isinstance(stay.stage, LifecycleStage) for stay in stays)
