"""A mapping while somebody builds it: one choice a column, to and from the JSON of a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from customers.domain.imports.column_guess import ID_TARGET, Guess, Kind
from customers.domain.imports.mapping import VERSION
from customers.domain.imports.mapping_json import MappingError, MappingProblem

IGNORE: Final = "ignore"
_SIMPLE: Final = ("type", "transform", "others", "order", "region", "blank")
_DEFAULTS: Final = {
    "type": "text",
    "transform": "none",
    "others": "report",
    "order": "",
    "region": "CN",
    "blank": "keep",
}
_FLAGS: Final = ("expected", "optional")
_KEPT: Final = ("description", "constants", "limits", "freshness", "consent")


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """What is to become of one column.

    Attributes:
        target: A target of a mapping, `id_column`, `ignore`, or empty while nobody has decided.
        dictionary: Lines of `word=code`.
    """

    column: str
    target: str = ""
    type: str = "text"
    transform: str = "none"
    dictionary: str = ""
    others: str = "report"
    expected: bool = False
    optional: bool = False
    order: str = ""
    region: str = "CN"
    blank: str = "keep"

    @property
    def is_mapped(self) -> bool:
        """Return whether the column's cells go anywhere."""
        return self.target not in {"", IGNORE, ID_TARGET}


def choices_of(definition: Mapping[str, Any], columns: Sequence[str]) -> list[ColumnChoice]:
    """Return the choices that a mapping has made, in the order of a file's columns.

    A column with several targets has a choice for each; columns that the file lacks come last.
    """
    mapped = dict(definition.get("columns", {}))
    ignored = set(definition.get("ignore", ()))
    found: list[ColumnChoice] = []
    for column in dict.fromkeys((*columns, *mapped)):
        if column == definition.get("id_column"):
            found.append(ColumnChoice(column, ID_TARGET))
        if column in mapped:
            raw = mapped[column]
            found += [_choice(column, item) for item in (raw if isinstance(raw, list) else [raw])]
        elif column != definition.get("id_column"):
            found.append(ColumnChoice(column, IGNORE if column in ignored else ""))
    return found


def guessed_choices(guesses: Iterable[Guess]) -> list[ColumnChoice]:
    """Return what the guesses suggest."""
    return [
        ColumnChoice(
            guess.column,
            guess.target,
            type=_value_type(guess.kind),
            transform="amount" if guess.kind is Kind.AMOUNT else "none",
            order=guess.order,
            others="keep",
        )
        for guess in guesses
    ]


def definition_from(
    choices: Sequence[ColumnChoice], *, base: Mapping[str, Any], name: str, source: str
) -> dict[str, Any]:
    """Return the JSON of the mapping; what `base` says beside the columns stays.

    Raises:
        MappingError: `wrong_value` for a dictionary line without `=`, `repeated_target` for a
            second column with the source's id.
    """
    columns: dict[str, Any] = {}
    for choice in choices:
        if choice.is_mapped:
            columns.setdefault(choice.column, []).append(_target(choice))
    ids = [choice.column for choice in choices if choice.target == ID_TARGET]
    if len(ids) > 1:
        raise MappingError(f"columns.{ids[1]}.to", MappingProblem.REPEATED_TARGET)
    kept = {key: base[key] for key in _KEPT if key in base}
    used = {choice.column for choice in choices if choice.is_mapped}
    ignored = [c.column for c in choices if c.target == IGNORE and c.column not in used]
    return {
        "version": VERSION,
        "name": name,
        "source": source or name,
        **kept,
        **({"id_column": ids[0]} if ids else {}),
        "columns": {
            column: targets[0] if len(targets) == 1 else targets
            for column, targets in columns.items()
        },
        **({"ignore": ignored} if ignored else {}),
    }


def _choice(column: str, raw: Any) -> ColumnChoice:
    content: dict[str, Any] = {"to": raw} if isinstance(raw, str) else raw
    words = content.get("dictionary", {})
    lines = "\n".join(f"{word}={code}" for word, code in words.items())
    rest: dict[str, Any] = {key: content[key] for key in (*_SIMPLE, *_FLAGS) if key in content}
    return ColumnChoice(column, content["to"], dictionary=lines, **rest)


def _target(choice: ColumnChoice) -> dict[str, Any] | str:
    content: dict[str, Any] = {"to": choice.target}
    for key in _SIMPLE:
        value = getattr(choice, key)
        is_type = key == "type" and choice.target.startswith("attribute.")
        if is_type or (key != "type" and value != _DEFAULTS[key]):
            content[key] = value
    words = _words(choice)
    if words:
        content["dictionary"] = words
    else:
        content.pop("others", None)
    content |= {key: True for key in _FLAGS if getattr(choice, key)}
    return choice.target if len(content) == 1 else content


def _words(choice: ColumnChoice) -> dict[str, str]:
    words = {}
    for line in choice.dictionary.splitlines():
        word, sign, code = line.partition("=")
        if not line.strip():
            continue
        if not sign or not word.strip():
            raise MappingError(f"columns.{choice.column}.dictionary", MappingProblem.WRONG_VALUE)
        words[word.strip()] = code.strip()
    return words


def _value_type(kind: Kind) -> str:
    match kind:
        case Kind.NUMBER | Kind.AMOUNT:
            return "number"
        case Kind.DATE:
            return "day"
        case Kind.FLAG:
            return "flag"
        case _:
            return "text"
