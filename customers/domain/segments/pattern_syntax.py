"""The syntax of marketers' patterns: read once, and written as PostgreSQL reads them."""

from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

MAX_LENGTH: Final = 100
MAX_REPEAT: Final = 50
_MAX_NESTING: Final = 20
_SPECIAL: Final = frozenset("\\.[](){}*+?|^$")
_IN_CLASS: Final = frozenset("\\[]^-")

Ranges: TypeAlias = tuple[tuple[str, str], ...]
_CLASSES: Final[dict[str, Ranges]] = {
    "d": (("0", "9"),),
    "w": (("A", "Z"), ("a", "z"), ("0", "9"), ("_", "_")),
    "s": ((" ", " "), ("\t", "\r")),
}


class PatternInvalid(ValueError):
    """A pattern uses something outside the subset; `position` counts its characters from 1."""

    def __init__(self, position: int) -> None:
        """Keep where."""
        super().__init__(f"not understood at character {position}")
        self.position = position


class PatternTooLarge(ValueError):
    """A pattern is longer, or repeats more, than can be matched quickly."""


@dataclass(frozen=True, slots=True)
class Set:
    """One character in one of the ranges, or in none of them."""

    ranges: Ranges
    is_negated: bool = False

    def has(self, letter: str) -> bool:
        """Return whether a character is one of the set."""
        return any(low <= letter <= high for low, high in self.ranges) is not self.is_negated


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning or the end of the text."""

    is_end: bool


@dataclass(frozen=True, slots=True)
class Concatenation:
    """One item after the other."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alternation:
    """One of several."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """An item at least so often, and at most so often where there is a limit."""

    item: "Node"
    least: int
    most: int | None


Node: TypeAlias = Set | Edge | Concatenation | Alternation | Repeat


class _PatternParser:
    """Reads a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        letter = self.peek()
        if not letter:
            raise PatternInvalid(self.at)
        self.at += 1
        return letter

    def wrong(self) -> PatternInvalid:
        return PatternInvalid(min(self.at + 1, len(self.text)))

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_NESTING:
            raise PatternTooLarge
        rows = [self.row()]
        while self.peek() == "|":
            self.take()
            rows.append(self.row())
        self.depth -= 1
        return rows[0] if len(rows) == 1 else Alternation(tuple(rows))

    def row(self) -> Node:
        items: list[Node] = []
        while self.peek() and self.peek() not in "|)":
            items.append(self.repeated(self.atom()))
        if not items:
            raise self.wrong()
        return items[0] if len(items) == 1 else Concatenation(tuple(items))

    def atom(self) -> Node:
        letter = self.peek()
        if letter == "(":
            return self.group()
        if letter == "[":
            return self.listed()
        if letter in "^$.":
            self.take()
            return Set((), is_negated=True) if letter == "." else Edge(letter == "$")
        if letter == "\\":
            return Set(self.escaped())
        if letter in _SPECIAL:
            raise self.wrong()
        self.take()
        return Set(((letter, letter),))

    def group(self) -> Node:
        self.take()
        inner = self.choice()
        if self.peek() != ")":
            raise self.wrong()
        self.take()
        return inner

    def escaped(self) -> Ranges:
        self.take()
        letter = self.peek()
        if letter in _CLASSES and letter:
            self.take()
            return _CLASSES[letter]
        if not letter.isascii() or letter.isalnum() or not letter.isprintable() or not letter:
            raise self.wrong()
        self.take()
        return ((letter, letter),)

    def listed(self) -> Node:
        self.take()
        is_negated = self.peek() == "^"
        if is_negated:
            self.take()
        ranges: list[tuple[str, str]] = []
        while self.peek() != "]":
            ranges.extend(self.member())
        if not ranges:
            raise self.wrong()
        self.take()
        return Set(tuple(ranges), is_negated)

    def member(self) -> Ranges:
        start = self.end_of_range()
        if self.peek() != "-" or self.text[self.at + 1 : self.at + 2] in {"]", ""}:
            return start
        self.take()
        end = self.end_of_range()
        if len(start) > 1 or len(end) > 1 or start[0][0] != start[0][1] or end[0][0] != end[0][1]:
            raise self.wrong()
        if start[0][0] > end[0][0]:
            raise self.wrong()
        return ((start[0][0], end[0][0]),)

    def end_of_range(self) -> Ranges:
        if self.peek() == "\\":
            return self.escaped()
        if self.peek() == "[":
            raise self.wrong()
        letter = self.take()
        return ((letter, letter),)

    def repeated(self, item: Node) -> Node:
        letter = self.peek()
        if not letter or letter not in "*+?{":
            return item
        if isinstance(item, Edge):
            raise self.wrong()
        self.take()
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(letter) or self.counts()
        if self.peek() and self.peek() in "*+?{":
            raise self.wrong()
        return Repeat(item, least, most)

    def counts(self) -> tuple[int, int | None]:
        least = self.number()
        most: int | None = least
        if self.peek() == ",":
            self.take()
            most = None if self.peek() == "}" else self.number()
        if self.peek() != "}" or (most is not None and most < max(least, 1)):
            raise self.wrong()
        self.take()
        if max(least, most or 0) > MAX_REPEAT:
            raise PatternTooLarge
        return least, most

    def number(self) -> int:
        digits = ""
        while self.peek() and self.peek() in "0123456789" and len(digits) < 4:
            digits += self.take()
        if not digits:
            raise self.wrong()
        return int(digits)


def read(text: str) -> Node:
    """Return the tree of a pattern.

    Raises:
        PatternInvalid: It uses something outside the subset.
        PatternTooLarge: It is too long or nested too deep.
    """
    if len(text) > MAX_LENGTH:
        raise PatternTooLarge
    reader = _PatternParser(text)
    root = reader.choice()
    if reader.peek():
        raise reader.wrong()
    return root


def size(node: Node) -> int:
    """Return how many places the matcher has for a node, repeats written out."""
    match node:
        case Set() | Edge():
            return 1
        case Concatenation(items) | Alternation(items):
            return sum(size(item) for item in items)
        case Repeat(item, least, most):
            return size(item) * max(least + 1 if most is None else most, 1)
        case _:
            assert_never(node)


def canonical(node: Node) -> str:
    """Return the pattern as PostgreSQL reads it, with nothing that depends on a locale."""
    match node:
        case Set():
            text = _canonical_set(node)
        case Edge(is_end):
            text = "$" if is_end else "^"
        case Concatenation(items):
            text = "".join(
                f"(?:{canonical(item)})" if isinstance(item, Alternation) else canonical(item)
                for item in items
            )
        case Alternation(items):
            text = "|".join(map(canonical, items))
        case Repeat(item, least, most):
            most_text = "" if most is None else str(most)
            text = f"(?:{canonical(item)}){{{least},{most_text}}}"
        case _:
            assert_never(node)
    return text


def _canonical_set(node: Set) -> str:
    if not node.ranges:
        return "."
    low, high = node.ranges[0]
    if len(node.ranges) == 1 and low == high and not node.is_negated:
        return f"\\{low}" if low in _SPECIAL else low
    inner = "".join(_range(*ends) for ends in node.ranges)
    return f"[{'^' if node.is_negated else ''}{inner}]"


def _range(low: str, high: str) -> str:
    ends = [f"\\{end}" if end in _IN_CLASS else end for end in (low, high)]
    return ends[0] if low == high else "-".join(ends)
