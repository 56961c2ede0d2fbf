"""The course of a campaign as a graph: message, wait, whether it arrived, the next message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from campaigns.domain.graphs.graph import Branch, End, Graph, Node, Question, Send, Wait

END = "end"


class StepCondition(StrEnum):
    """Whom of those in the campaign a later message is for."""

    EVERYBODY = "everybody"
    NOT_CLICKED = "not_clicked"
    GOAL_NOT_REACHED = "goal_not_reached"


_QUESTIONS = {
    StepCondition.NOT_CLICKED: Question.NOT_CLICKED,
    StepCondition.GOAL_NOT_REACHED: Question.GOAL_NOT_REACHED,
}


@dataclass(frozen=True, slots=True)
class CourseStep:
    """A step as far as the course of the campaign goes.

    Attributes:
        is_fallback: It serves those whom the step before did not reach; any other serves all whom
            its condition lets through.
        wait_seconds: From the end of the step before.
    """

    position: int
    touchpoint: int
    is_fallback: bool
    wait_seconds: int
    condition: StepCondition = StepCondition.EVERYBODY


def begins_at(completed_at: datetime, wait_minutes: int) -> datetime:
    """Return when a step begins by itself, from the end of the step before it."""
    return completed_at + timedelta(minutes=wait_minutes)


def send_node(position: int) -> str:
    """Return the node of a step's message."""
    return f"send-{position}"


def nodes_before(position: int) -> tuple[str, ...]:
    """Return the nodes at which those stand whom the step at a position may serve next."""
    return send_node(position - 1), _wait(position), _branch(position)


def course_of(steps: Sequence[CourseStep]) -> Graph:
    """Return the graph of a campaign's steps, in the order of their positions.

    A fallback follows the step before it. An ordinary step begins for everybody when the step
    before it has ended, whether or not that one was a fallback that most were not served by.
    """
    nodes: dict[str, Node] = {}
    for index, step in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else None
        then = _wait(following.position) if following else END
        nodes[send_node(step.position)] = Send(step.touchpoint, then)
        if following is None:
            continue
        before = send_node(step.position)
        question = Question.MISSED if following.is_fallback else _QUESTIONS.get(following.condition)
        goes_to = _branch(following.position) if question else send_node(following.position)
        nodes[then] = Wait(following.wait_seconds, goes_to, after=before)
        if question:
            later = steps[index + 2] if index + 2 < len(steps) else None
            passed_by = _wait(later.position) if later else END
            nodes[goes_to] = Branch(question, before, send_node(following.position), passed_by)
    nodes[END] = End()
    return Graph(send_node(steps[0].position), nodes)


def _wait(position: int) -> str:
    return f"wait-{position}"


def _branch(position: int) -> str:
    return f"branch-{position}"
