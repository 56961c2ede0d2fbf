"""Where in a text a finding of the check stands, so that its author can go there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.domain.content import word_search
from campaigns.domain.content.lint_problems import LintProblem, LintProblemCode
from loancrm.kernel.texts.survey import TemplateRefused
from loancrm.kernel.texts.templates import TextKind, compile_text

SUBJECT = "subject"
TEXT = "text"
HTML = "html"
_KINDS = {SUBJECT: TextKind.TEXT, TEXT: TextKind.TEXT, HTML: TextKind.HTML}
_LINK_WITH_CODE = re.compile(r"https?://[^\s\"'<>]*\{[{%]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TextPlace:
    """A part of a text and a line in it.

    Attributes:
        part: `subject`, `text` or `html`.
        line: Counted from 1; 0 where the part as a whole is meant.
    """

    part: str
    line: int = 0


def place_of(problem: LintProblem, parts: Mapping[str, str], *, language: str) -> TextPlace:
    """Return where a finding stands.

    Args:
        problem: From `content_lint`.
        parts: The sources by part; an SMS has `text` alone.
        language: `zh-hans` or `en`.
    """
    match problem.code:
        case LintProblemCode.TEMPLATE_REFUSED:
            return _refused_part(problem, parts, language)
        case LintProblemCode.UNKNOWN_VARIABLE:
            name = re.compile(rf"\{{[{{%][^}}]*\b{re.escape(str(problem.facts['name']))}\b")
            ordered = [problem.where, *(part for part in parts if part != problem.where)]
            for part in ordered:
                line = _first_line(parts.get(part, ""), name)
                if line:
                    return TextPlace(part, line)
        case LintProblemCode.VARIABLE_IN_LINK:
            return TextPlace(
                problem.where, _first_line(parts.get(problem.where, ""), _LINK_WITH_CODE)
            )
        case LintProblemCode.LINK_NOT_COUNTED:
            link = re.compile(re.escape(str(problem.facts["link"])))
            return TextPlace(problem.where, _first_line(parts.get(problem.where, ""), link))
        case LintProblemCode.BANNED_WORD | LintProblemCode.RISKY_WORD:
            return TextPlace(problem.where, _line_of_word(problem, parts.get(problem.where, "")))
        case _:
            pass
    return TextPlace(problem.where)


def _refused_part(problem: LintProblem, parts: Mapping[str, str], language: str) -> TextPlace:
    """Compile the parts one by one: the check compiled them together."""
    for part, source in parts.items():
        try:
            compile_text(source, kind=_KINDS[part], language=language)
        except TemplateRefused as error:
            return TextPlace(part, _line(error.facts))
    return TextPlace(problem.where, _line(problem.facts))


def _line(facts: Mapping[str, object]) -> int:
    line = facts.get("line")
    return line if isinstance(line, int) else 0


def _line_of_word(problem: LintProblem, source: str) -> int:
    word = str(problem.facts.get("word"))
    for number, line in enumerate(source.splitlines(), start=1):
        if word_search.banned(line, {word: problem.severity}):
            return number
    return 0


def _first_line(source: str, pattern: re.Pattern[str]) -> int:
    found = pattern.search(source)
    return source.count("\n", 0, found.end()) + 1 if found else 0
