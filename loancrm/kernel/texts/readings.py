"""Everything that a text may say, whoever it is about: every branch taken, every fallback used.

Conditions are not asked, they are decided: a word that only some people would see is seen too. Each
place where a text chooses is taken every way; with few of them in every combination, with many in
every combination of three that follow each other, so that words written in pieces come together.
"""

import itertools
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from jinja2 import nodes

from loancrm.kernel.texts import filters
from loancrm.kernel.texts.templates import TextKind, parse_text

MAX_CHOICES = 30
_MAX_COMBINATIONS = 128
_NEIGHBOURS = 3
_SHOWN_ITEMS = 2


class TooManyChoices(ValueError):
    """The text chooses in more places than anybody can look through."""


def readings(
    source: str, *, kind: TextKind, language: str, context: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the different texts that a source may become, each once.

    Args:
        source: As for `compile_text`, which accepts it.
        kind: `HTML` escapes values as they will be escaped.
        language: Decides how filters write dates.
        context: Example values; a name without one is shown as nothing.

    Raises:
        TemplateRefused: The source cannot be read.
        TooManyChoices: It chooses in more than thirty places.
    """
    tree = parse_text(source, kind=kind, language=language)
    # An `elif` is a way of its `if`, not a choice of its own.
    others = {id(other) for node in tree.find_all(nodes.If) for other in node.elif_}
    choices = [
        (node, _ways(node))
        for node in tree.find_all(_CHOOSING)
        if _ways(node) > 1 and id(node) not in others
    ]
    if len(choices) > MAX_CHOICES:
        raise TooManyChoices
    ways = [count for _node, count in choices]
    found: dict[str, None] = {}
    for taken in _combinations(ways):
        chosen = {id(node): way for (node, _ways), way in zip(choices, taken, strict=True)}
        found["".join(_BranchReader(kind, language, chosen).read(tree.body, dict(context)))] = None
    return tuple(found)


def constants_of(source: str, *, kind: TextKind, language: str) -> tuple[str, ...]:
    """Return the words written in a text's code, each alone and all of them together."""
    tree = parse_text(source, kind=kind, language=language)
    words = [str(node.value) for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]
    return (*words, "".join(words))


_CHOOSING = (nodes.If, nodes.For, nodes.CondExpr, nodes.And, nodes.Or, nodes.Filter)


def _ways(node: nodes.Node) -> int:
    match node:
        case nodes.If():
            return 2 + len(node.elif_)
        case nodes.Filter() if node.name != "default":
            return 1
        case _:
            return 2


def _combinations(ways: list[int]) -> Iterator[tuple[int, ...]]:
    """Return all combinations; of many, all of places that follow each other, others as first."""
    total = 1
    for count in ways:
        total *= count
    if total <= _MAX_COMBINATIONS:
        yield from itertools.product(*(range(count) for count in ways))
        return
    for rest in (0, 1):
        for start in range(len(ways) - _NEIGHBOURS + 1):
            window = range(start, start + _NEIGHBOURS)
            for taken in itertools.product(*(range(ways[place]) for place in window)):
                whole = [rest] * len(ways)
                whole[start : start + _NEIGHBOURS] = taken
                yield tuple(whole)


class _BranchReader:
    """Reads a text with every choice made beforehand."""

    def __init__(self, kind: TextKind, language: str, chosen: Mapping[int, int]) -> None:
        self._is_html = kind is TextKind.HTML
        self._filters = filters.filters_for(language)
        self._chosen = chosen

    def read(self, body: list[nodes.Node], context: dict[str, Any]) -> Iterator[str]:
        for node in body:
            match node:
                case nodes.Output():
                    yield from (self._shown(part, context) for part in node.nodes)
                case nodes.If():
                    yield from self.read(self._branch(node), context)
                case nodes.For():
                    yield from self._loop(node, context)
                case _:
                    pass

    def _branch(self, node: nodes.If) -> list[nodes.Node]:
        branches = [node.body, *(other.body for other in node.elif_), node.else_]
        return branches[self._chosen[id(node)]]

    def _loop(self, node: nodes.For, context: dict[str, Any]) -> Iterator[str]:
        if self._chosen[id(node)]:
            yield from self.read(node.else_, context)
            return
        items = self._value(node.iter, context)
        listed = items if isinstance(items, tuple | list) and items else ("",) * _SHOWN_ITEMS
        for index, item in enumerate(listed[:_SHOWN_ITEMS], start=1):
            loop = {"index": index, "first": index == 1, "last": False, "length": len(listed)}
            bound = {node.target.name: item} if isinstance(node.target, nodes.Name) else {}
            yield from self.read(node.body, {**context, **bound, "loop": loop})

    def _shown(self, node: nodes.Node, context: dict[str, Any]) -> str:
        if isinstance(node, nodes.TemplateData):
            return node.data
        text = str(self._value(node, context))
        return escape(text) if self._is_html else text

    def _value(self, node: nodes.Node, context: dict[str, Any]) -> Any:
        value: Any = "True"
        match node:
            case nodes.Const():
                value = node.value
            case nodes.Name():
                value = context.get(node.name, "")
            case nodes.Getattr():
                owner = self._value(node.node, context)
                value = owner.get(node.attr, "") if isinstance(owner, Mapping) else ""
            case nodes.CondExpr():
                second = node.expr2 if self._chosen[id(node)] else None
                value = self._value(second or node.expr1, context)
            case nodes.And() | nodes.Or():
                way = self._chosen[id(node)]
                value = self._value(node.right if way else node.left, context)
            case nodes.Filter():
                value = self._filtered(node, context)
            case _:
                pass
        return value

    def _filtered(self, node: nodes.Filter, context: dict[str, Any]) -> Any:
        value = self._value(node.node, context) if node.node is not None else ""
        arguments = [self._value(argument, context) for argument in node.args]
        if node.name == "default":
            is_fallback = self._chosen[id(node)] and arguments
            return arguments[0] if is_fallback else value
        try:
            return self._filters[node.name](value, *arguments)
        except (TypeError, ValueError, ArithmeticError, AttributeError):
            return value
