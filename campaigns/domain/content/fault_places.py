"""Where in a text a finding of the check stands, so that its author can go there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.domain.content import word_search
from campaigns.domain.content.lint import Problem, ProblemCode
from loancrm.kernel.texts.survey import TemplateRefused
from loancrm.kernel.texts.templates import TextKind, compile_text

SUBJECT = "subject"
TEXT = "text"
HTML = "html"
_KINDS = {SUBJECT: TextKind.TEXT, TEXT: TextKind.TEXT, HTML: TextKind.HTML}
_LINK_WITH_CODE = re.compile(r"https?://[^\s\"'<>]*\{[{%]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a text and a line in it.

    Attributes:
        part: `subject`, `text` or `html`.
        line: Counted from 1; 0 where the part as a whole is meant.
    """

    part: str
    line: int = 0


def place_of(problem: Problem, parts: Mapping[str, str], *, language: str) -> Place:
    """Return where a finding stands.

    Args:
        problem: From `content_lint`.
        parts: The sources by part; an SMS has `text` alone.
        language: `zh-hans` or `en`.
    """
    match problem.code:
        case ProblemCode.TEMPLATE_REFUSED:
            return _refused_part(problem, parts, language)
        case ProblemCode.UNKNOWN_VARIABLE:
            name = re.compile(rf"\{{[{{%][^}}]*\b{re.escape(str(problem.facts['name']))}\b")
            ordered = [problem.where, *(part for part in parts if part != problem.where)]
            for part in ordered:
                line = _first_line(parts.get(part, ""), name)
                if line:
                    return Place(part, line)
        case ProblemCode.VARIABLE_IN_LINK:
            return Place(problem.where, _first_line(parts.get(problem.where, ""), _LINK_WITH_CODE))
        case ProblemCode.LINK_NOT_COUNTED:
            link = re.compile(re.escape(str(problem.facts["link"])))
            return Place(problem.where, _first_line(parts.get(problem.where, ""), link))
        case ProblemCode.BANNED_WORD | ProblemCode.RISKY_WORD:
            return Place(problem.where, _line_of_word(problem, parts.get(problem.where, "")))
        case _:
            pass
    return Place(problem.where)


def _refused_part(problem: Problem, parts: Mapping[str, str], language: str) -> Place:
    """Compile the parts one by one: the check compiled them together."""
    for part, source in parts.items():
        try:
            compile_text(source, kind=_KINDS[part], language=language)
        except TemplateRefused as error:
            return Place(part, _line(error.facts))
    return Place(problem.where, _line(problem.facts))


def _line(facts: Mapping[str, object]) -> int:
    line = facts.get("line")
    return line if isinstance(line, int) else 0


def _line_of_word(problem: Problem, source: str) -> int:
    word = problem.facts.get("word")
    for number, line in enumerate(source.splitlines(), start=1):
        if any(found == word for found, _severity in word_search.banned(line)):
            return number
    return 0


def _first_line(source: str, pattern: re.Pattern[str]) -> int:
    found = pattern.search(source)
    return source.count("\n", 0, found.end()) + 1 if found else 0
