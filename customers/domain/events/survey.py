"""What people are asked about their contentment, and which answers there are."""

from collections.abc import Mapping
from enum import StrEnum


class SurveyKind(StrEnum):
    """The question: CSAT, how content with what was just done; NPS, whether to recommend us."""

    CSAT = "csat"
    NPS = "nps"


SCORES: Mapping[SurveyKind, range] = {
    SurveyKind.CSAT: range(1, 6),
    SurveyKind.NPS: range(11),
}


def is_answer(kind: str, score: float | None) -> bool:
    """Return whether a score answers a question."""
    if kind not in set(SurveyKind) or score is None or score != int(score):
        return False
    return int(score) in SCORES[SurveyKind(kind)]
