r"""Patterns that marketers may write: regular expressions that no text can make slow.

A subset that PostgreSQL reads alike: characters, `.`, `[a-z]`, `[^0-9]`, `\d`, `\w`, `\s` (ASCII),
groups with alternatives, `* + ? {2} {2,} {2,5}`, `^` and `$`. No back-references, no look-around,
nothing greedy or lazy: a pattern is found somewhere in the text or it is not. The matcher walks the
text once with the set of places it may be at (Thompson 1968), so its time is bounded by the
pattern's size times the text's length.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, assert_never

from customers.domain.segments import pattern_syntax
from customers.domain.segments.pattern_syntax import (
    MAX_LENGTH,
    Alternation,
    Concatenation,
    Edge,
    Node,
    PatternInvalid,
    PatternTooLarge,
    Repeat,
    Set,
)

__all__ = ["MAX_LENGTH", "Pattern", "PatternInvalid", "PatternTooLarge", "compiled"]

MAX_SIZE: Final = 200
_CACHED: Final = 5_000


@dataclass(slots=True)
class _State:
    """A place: reads one character of `reads`, or passes an edge, or passes freely."""

    reads: Set | None = None
    edge: Edge | None = None
    following: tuple[int, ...] = ()


class Pattern:
    """One checked pattern; safe to share between threads, as its cache only ever grows or empties.

    Attributes:
        canonical: The same pattern for PostgreSQL's `~`.
    """

    _FOUND = 0

    def __init__(self, text: str) -> None:
        """Read a pattern.

        Raises:
            PatternInvalid: It uses something outside the subset.
            PatternTooLarge: It is too long or repeats too much.
        """
        root = pattern_syntax.read(text)
        if pattern_syntax.size(root) > MAX_SIZE:
            raise PatternTooLarge
        self.canonical = pattern_syntax.canonical(root)
        self._states = [_State()]
        self._first = self._build(root, self._FOUND)
        self._cache: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def is_in(self, text: str) -> bool:
        """Return whether the pattern is found anywhere in a text."""
        here = self._reached({self._first}, is_start=True, is_end=not text)
        for letter in text:
            if self._FOUND in here:
                return True
            key = (here, letter)
            found = self._cache.get(key)
            if found is None:
                found = self._step(here, letter)
                if len(self._cache) >= _CACHED:
                    self._cache.clear()
                self._cache[key] = found
            here = found
        return self._FOUND in self._reached(here, is_start=not text, is_end=True)

    def _step(self, here: frozenset[int], letter: str) -> frozenset[int]:
        # A match may begin at every character, so the first place is always among them.
        after = {self._first}
        for number in here:
            state = self._states[number]
            if state.reads is not None and state.reads.has(letter):
                after.update(state.following)
        return self._reached(after, is_start=False, is_end=False)

    def _reached(
        self, places: set[int] | frozenset[int], *, is_start: bool, is_end: bool
    ) -> frozenset[int]:
        """Return the places themselves and those reached from them without reading."""
        found = set(places)
        waiting = list(places)
        while waiting:
            state = self._states[waiting.pop()]
            if state.reads is not None:
                continue
            if state.edge is not None and not (is_end if state.edge.is_end else is_start):
                continue
            fresh = [number for number in state.following if number not in found]
            found.update(fresh)
            waiting.extend(fresh)
        return frozenset(found)

    def _add(self, state: _State) -> int:
        self._states.append(state)
        return len(self._states) - 1

    def _build(self, node: Node, then: int) -> int:
        """Return the place from which a node leads to the place `then`."""
        match node:
            case Set():
                return self._add(_State(reads=node, following=(then,)))
            case Edge():
                return self._add(_State(edge=node, following=(then,)))
            case Concatenation(items):
                for item in reversed(items):
                    then = self._build(item, then)
                return then
            case Alternation(items):
                ways = tuple(self._build(item, then) for item in items)
                return self._add(_State(following=ways))
            case Repeat():
                return self._build_repeat(node, then)
            case _:
                assert_never(node)

    def _build_repeat(self, node: Repeat, then: int) -> int:
        if node.most is None:
            loop = self._add(_State())
            again = self._build(node.item, loop)
            self._states[loop].following = (again, then)
            then = loop
        else:
            for _turn in range(node.most - node.least):
                # Leaving early skips all of the optional turns that are left.
                then = self._add(_State(following=(self._build(node.item, then), then)))
        for _turn in range(node.least):
            then = self._build(node.item, then)
        return then


@lru_cache(maxsize=256)
def compiled(text: str) -> Pattern:
    """Return a pattern, read once.

    Raises:
        PatternInvalid, PatternTooLarge: As `Pattern`.
    """
    return Pattern(text)
