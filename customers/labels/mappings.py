"""Where a mapping is wrong, in words: which column, which part of it, which line of the file."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.domain.imports.mapping_json import MappingError
from customers.labels.imports import MAPPING_PROBLEMS, target
from loancrm.kernel.words.phrases import Phrase, gettext, worded

# What is said of one column, by its key in the JSON.
_PARTS: Mapping[str, Any] = {
    "to": _("where it goes"),
    "type": _("the type of its values"),
    "transform": _("how it is read"),
    "dictionary": _("its dictionary"),
    "others": _("what becomes of words that the dictionary has not"),
    "expected": _("whether blank cells are reported"),
    "optional": _("whether the column may be missing"),
    "order": _("the order of day and month"),
    "region": _("the country of its phone numbers"),
    "blank": _("what a blank cell does"),
}
_PLACES: Mapping[str, Any] = {
    "mapping": _("the mapping as a whole"),
    "version": _("the version of the format"),
    "name": _("the name of the mapping"),
    "source": _("the source"),
    "description": _("the description"),
    "columns": _("the columns"),
    "id_column": _("the column with the source's own id"),
    "ignore": _("the columns that are not imported"),
    "constants": _("what holds for every row"),
    "limits": _("the limits"),
    "freshness": _("how fresh the rows have to be"),
    "freshness.column": _("the column that tells how fresh a row is"),
    "freshness.days": _("the days that a row may be old"),
    "consent": _("the proof of consents"),
    "consent.text": _("the words that people agreed to"),
    "consent.text_column": _("the column with the words that people agreed to"),
    "consent.time_column": _("the column with the time of the consent"),
    "consent.time_zone": _("the time zone of consents"),
}
_COLUMN = re.compile(
    rf"columns\.(?P<column>.+?)(?:\[(?P<entry>\d+)\])?"
    rf"(?:\.(?P<part>{'|'.join(_PARTS)})(?:\.(?P<word>.+))?)?",
    re.DOTALL,
)
_LIST_PLACE = re.compile(r"\[\d+\]$")


def fault(error: MappingError, *, text: str = "") -> Phrase:
    """Return what is wrong with a mapping and where.

    Args:
        text: Of the file that it stands in, so that the line can be told.
    """
    path, word = error.path, ""
    if error.problem == "unknown_key":
        path, _dot, word = path.rpartition(".")
    problem = MAPPING_PROBLEMS.phrase(error.problem)
    if word:
        problem = gettext("%(problem)s: “%(word)s”") % {"problem": problem, "word": word}
    facts = {"place": place(path), "problem": problem}
    key = word or column_of(path) or _LIST_PLACE.sub("", path.rpartition(".")[2])
    if line := _line_of(text, key):
        return gettext("%(place)s (line %(line)s): %(problem)s") % {**facts, "line": line}
    return gettext("%(place)s: %(problem)s") % facts


def place(path: str) -> Phrase:
    """Return a place in a mapping's JSON in words, such as `columns.phone.to`."""
    match = _COLUMN.fullmatch(path)
    if match is None:
        return _outside_columns(path)
    found = gettext("column “%(column)s”") % {"column": match["column"]}
    if match["entry"]:
        number = int(match["entry"]) + 1
        found = gettext("%(place)s, field no. %(number)s") % {"place": found, "number": number}
    if match["part"]:
        found = _within(found, worded(_PARTS[match["part"]]))
    return _within(found, f"“{match['word']}”") if match["word"] else found


def column_of(path: str) -> str:
    """Return the column that a place in a mapping's JSON is about; empty for none."""
    match = _COLUMN.fullmatch(path)
    return match["column"] if match else ""


def _outside_columns(path: str) -> Phrase:
    head, rest = _LIST_PLACE.sub("", path), ""
    while head and head not in _PLACES:
        head, _dot, last = head.rpartition(".")
        rest = f"{last}.{rest}".rstrip(".")
    found = worded(_PLACES[head or "mapping"])
    if not rest:
        return found
    return _within(found, target(rest) if head == "constants" else f"“{rest}”")


def _within(outer: Phrase, inner: str) -> Phrase:
    return gettext("%(place)s, %(part)s") % {"place": outer, "part": inner}


def _line_of(text: str, key: str) -> int:
    """Return the line in which a key stands first; 0 where none does."""
    written = json.dumps(key, ensure_ascii=False)
    match = re.search(rf"{re.escape(written)}\s*:", text) if key else None
    return text.count("\n", 0, match.start()) + 1 if match else 0
