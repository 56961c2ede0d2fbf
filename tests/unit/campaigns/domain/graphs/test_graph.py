"""A graph is refused where nobody could walk it, and reads back as it was written."""

import pytest

from campaigns.domain.campaigns.course import CourseStep, course_of
from campaigns.domain.graphs.graph import (
    Branch,
    End,
    Graph,
    GraphFaulty,
    Question,
    Send,
    Wait,
    read_graph,
)

MISSED = Question.MISSED


def test_a_course_reads_back_as_it_was_written():
    course = course_of([CourseStep(1, 7, False, 0), CourseStep(2, 8, True, 60)])
    again = read_graph(course.definition)
    assert again == course
    longer = course_of([CourseStep(1, 7, False, 0), CourseStep(2, 8, True, 61)])
    assert longer != course


@pytest.mark.parametrize(
    ("fault", "node", "nodes"),
    [
        ("leads_nowhere", "a", {"a": Send(1, "b")}),
        ("out_of_reach", "b", {"a": Send(1, "c"), "b": End(), "c": End()}),
        ("circle_without_wait", "a", {"a": Send(1, "b"), "b": Branch(MISSED, "a", "a", "c"),
                                      "c": End()}),
        ("asks_about_no_message", "a", {"a": Branch(MISSED, "b", "b", "b"), "b": End()}),
        ("asks_about_no_message", "a", {"a": Wait(1, "b", after="b"), "b": End()}),
    ],
)  # fmt: skip
def test_a_graph_that_nobody_could_walk_is_refused(fault, node, nodes):
    with pytest.raises(GraphFaulty) as refused:
        Graph("a", nodes)
    assert (refused.value.fault, refused.value.node) == (fault, node)


def test_a_circle_with_a_wait_may_be_walked():
    nodes = {
        "a": Send(1, "b"),
        "b": Branch(MISSED, "a", "w", "e"),
        "w": Wait(60, "a"),
        "e": End(),
    }
    assert Graph("a", nodes).nodes == nodes


def test_an_entry_or_a_kind_that_is_not_there_is_refused():
    with pytest.raises(GraphFaulty):
        Graph("x", {"a": End()})
    with pytest.raises(GraphFaulty) as refused:
        read_graph({"entry": "a", "nodes": {"a": {"kind": "fly"}}})
    assert refused.value.fault == "unknown_kind"


def test_a_step_after_a_fallback_begins_for_everybody_when_the_fallback_has_ended():
    course = course_of(
        [
            CourseStep(1, 7, False, 0),
            CourseStep(2, 8, True, 60),
            CourseStep(3, 9, False, 300),
        ]
    )
    branch = course.nodes["branch-2"]
    assert (branch.yes, branch.no) == ("send-2", "wait-3")
    assert course.nodes["send-2"].then == "wait-3"
    assert course.nodes["wait-3"] == Wait(300, "send-3", after="send-2")
