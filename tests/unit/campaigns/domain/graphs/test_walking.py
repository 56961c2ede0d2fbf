"""Where somebody gets in a graph follows from what became of her messages, and from time alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.campaigns.course import CourseStep, course_of
from campaigns.domain.graphs.walking import (
    MISSED_REASONS,
    Facts,
    GraphPosition,
    Leaving,
    MessageFact,
    advance,
)
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import MessageState

START = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FALLBACK = course_of([CourseStep(1, 7, False, 0), CourseStep(2, 8, True, 3600)])


def after(state, reason="", *, is_control=False, at=START + HOUR, is_wanted=True):
    """Return where somebody gets whose first message ended so, with the sending over at START."""
    facts = Facts(
        {"send-1": MessageFact(MessageState(state), reason, is_control)},
        {"send-1": START},
        is_wanted,
    )
    return advance(FALLBACK, GraphPosition("send-1", START), facts, at)


def test_nobody_moves_before_the_sending_of_her_message_is_over():
    facts = Facts({"send-1": MessageFact(MessageState.FAILED)})
    move = advance(FALLBACK, GraphPosition("send-1", START), facts, START + 9 * HOUR)
    assert (move.position.node, move.passages, move.leaves) == ("send-1", (), None)


def test_a_wait_runs_from_the_end_of_the_sending_and_says_when_it_is_over():
    move = after("failed", at=START + HOUR - timedelta(seconds=1))
    assert (move.position.node, move.due_at) == ("wait-2", START + HOUR)
    assert after("failed").position.node == "send-2"


@pytest.mark.parametrize(
    ("state", "reason"),
    [("failed", "channel_refused"), ("bounced", "")]
    + [("skipped", reason.value) for reason in MISSED_REASONS],
)
def test_whom_a_message_missed_is_served_by_the_fallback(state, reason):
    move = after(state, reason)
    assert (move.position.node, move.leaves) == ("send-2", None)
    assert [(p.node, p.way) for p in move.passages] == [
        ("send-1", "wait-2"),
        ("wait-2", "branch-2"),
        ("branch-2", "send-2"),
    ]


@pytest.mark.parametrize(
    ("state", "reason"),
    [("sent", ""), ("delivered", ""), ("unknown", "crashed"), ("cancelled", ""), ("held_out", "")]
    + [("skipped", reason.value) for reason in SkipReason if reason not in MISSED_REASONS],
)
def test_whom_it_reached_or_who_was_kept_from_it_ends(state, reason):
    assert after(state, reason).leaves is Leaving.ENDED


def test_the_control_group_gets_no_fallback():
    assert after("skipped", "unreachable", is_control=True).leaves is Leaving.ENDED


def test_whoever_refused_meanwhile_leaves_at_the_next_message():
    move = after("failed", is_wanted=False)
    assert (move.position.node, move.leaves) == ("send-2", Leaving.UNWANTED)


STATES = st.sampled_from(list(MessageState))
REASONS = st.sampled_from(["", *(reason.value for reason in SkipReason)])


@st.composite
def courses(draw):
    flags = [False, *draw(st.lists(st.booleans(), max_size=5))]
    # No fallback follows a fallback.
    shapes = [flag and not flags[index - 1] for index, flag in enumerate(flags)]
    waits = draw(st.lists(st.integers(0, 7200), min_size=len(flags), max_size=len(flags)))
    return course_of(
        [
            CourseStep(index + 1, index, is_fallback, wait)
            for index, (is_fallback, wait) in enumerate(zip(shapes, waits, strict=True))
        ]
    )


@given(courses(), st.data())
def test_looking_twice_moves_nobody_twice(course, data):
    """A move that was made, and is asked for again with the same facts, makes no step more."""
    sent = [node for node in course.nodes if node.startswith("send-")]
    messages = {
        node: MessageFact(data.draw(STATES), data.draw(REASONS), data.draw(st.booleans()))
        for node in sent
        if data.draw(st.booleans())
    }
    settled = {node: START for node in sent if data.draw(st.booleans())}
    facts = Facts(messages, settled, data.draw(st.booleans()))
    now = START + timedelta(seconds=data.draw(st.integers(0, 20_000)))
    move = advance(course, GraphPosition(course.entry, START), facts, now)
    again = advance(course, move.position, facts, now)
    assert again.position == move.position
    assert again.passages == ()
    assert again.leaves == move.leaves


@given(courses(), st.integers(0, 40_000), st.integers(0, 40_000))
def test_waiting_in_two_parts_is_waiting_once(course, first, second):
    """Whether somebody is looked at often or seldom, she gets to the same place."""
    sent = [node for node in course.nodes if node.startswith("send-")]
    messages = {node: MessageFact(MessageState.FAILED) for node in sent}
    facts = Facts(messages, dict.fromkeys(sent, START))
    early, late = sorted((first, second))
    begin = GraphPosition(course.entry, START)
    at_once = advance(course, begin, facts, START + timedelta(seconds=late))
    halfway = advance(course, begin, facts, START + timedelta(seconds=early))
    if halfway.leaves is None:
        halfway = advance(course, halfway.position, facts, START + timedelta(seconds=late))
    assert (halfway.position, halfway.leaves) == (at_once.position, at_once.leaves)
