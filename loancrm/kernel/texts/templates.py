"""Texts that people write with variables in them: checked before they are compiled, then rendered.

The text is data from an author who is not trusted with the machine. Three walls stand behind each
other: only nodes, filters and tests of the lists below are ever compiled; what is compiled runs in
Jinja2's immutable sandbox; and it sees a frozen mapping of plain values, no object with methods.
Knows nothing of Django or of campaigns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.texts import filters
from loancrm.kernel.texts.folding import fold
from loancrm.kernel.texts.survey import (
    ALLOWED_TESTS,
    ITEMS_FILTER,
    MAX_LIST_ITEMS,
    TemplateRefused,
    bounded_loops,
    survey_of,
)

MAX_OUTPUT_CHARACTERS = 65_536
MAX_VALUE_CHARACTERS = 2_000

PlainValue: TypeAlias = (
    str | int | Decimal | date | bool | tuple["PlainValue", ...] | Mapping[str, "PlainValue"]
)


class TextKind(StrEnum):
    """Whether values are escaped for HTML when they are put into the text."""

    TEXT = "text"
    HTML = "html"


class MissingVariable(LoanCrmError):
    """A variable without a fallback has no value for this person."""

    code = "missing_variable"

    def __init__(self, name: str) -> None:
        """Keep which variable it is."""
        super().__init__(f"The variable {name} has no value.", name=name)
        self.name = name


class RenderFailed(LoanCrmError):
    """A value does not fit what the text does with it, such as a name put through `money`."""

    code = "render_failed"


class OutputTooLong(LoanCrmError):
    """The rendered text is longer than any message may be."""

    code = "output_too_long"


_LOOP_ATTRIBUTES = frozenset({"index", "first", "last", "length"})


class _NamedUndefined(StrictUndefined):
    """Raises an error that names the variable, so that the person can be skipped with a reason."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise MissingVariable(self._undefined_name or "expression")

    __iter__ = __str__ = __len__ = _fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = _fail_with_undefined_error
    __contains__ = __lt__ = __le__ = __gt__ = __ge__ = _fail_with_undefined_error
    __html__ = _fail_with_undefined_error


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which a dot reads an item of a mapping or the loop's counters, nothing else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(name=attribute)
        if isinstance(obj, LoopContext) and attribute in _LOOP_ATTRIBUTES:
            return getattr(obj, attribute)
        return self.undefined(name=attribute)


def _items(value: Any) -> Any:
    """Let loops run over lists alone: a name has two thousand letters, a list fifty items."""
    if isinstance(value, Undefined):
        iter(value)
    if not isinstance(value, tuple):
        raise TypeError("A loop needs a list.")
    return value[:MAX_LIST_ITEMS]


@lru_cache(maxsize=8)
def _environment(kind: TextKind, language: str) -> _Environment:
    environment = _Environment(
        undefined=_NamedUndefined, autoescape=kind is TextKind.HTML, trim_blocks=True
    )
    environment.globals.clear()
    environment.filters = filters.filters_for(language) | {ITEMS_FILTER: _items}
    environment.tests = {name: environment.tests[name] for name in ALLOWED_TESTS}
    return environment


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A compiled text.

    Attributes:
        kind: Whether values are escaped.
        has_loop: Whether the length of the output depends on the length of lists.
        variables: Every name that the text reads from its context.
        required: Those of them that are somewhere read without a fallback or a test around them.
    """

    kind: TextKind
    variables: frozenset[str]
    required: frozenset[str]
    has_loop: bool
    _source: str = field(repr=False)
    _language: str = field(repr=False)
    _template: Any = field(repr=False)

    def render(self, context: dict[str, Any]) -> str:
        """Put the values in.

        Args:
            context: Plain values, as `freeze` returns them. It is not changed.

        Raises:
            MissingVariable: A variable without fallback is not in the context.
            RenderFailed: A value does not fit its filter or comparison.
            OutputTooLong: More than 65,536 characters.
        """
        template = self._template
        # Its own `new_context` gathers the environment's globals each time; there are none.
        values = Context(template.environment, context, template.name, template.blocks)
        pieces = template.root_render_func(values)
        try:
            text = "".join(_limited(pieces) if self.has_loop else pieces)
        except (TypeError, ValueError, ArithmeticError) as err:
            raise RenderFailed("A value does not fit its filter.") from err
        if len(text) > MAX_OUTPUT_CHARACTERS:
            raise OutputTooLong("The text is too long.", characters=len(text))
        return text

    def with_fixed(self, values: Mapping[str, Any]) -> "TextTemplate":
        """Return the same text with everything rendered that depends on these values alone.

        For what is the same for everybody, such as a table of products: rendering it for each
        person took longer than the rest of the text. A part that cannot be rendered stays as it
        was, so that it is reported with the person.

        Args:
            values: Plain values, as `freeze` returns them; no context may hold others for them.
        """
        environment = _environment(self.kind, self._language)
        tree = bounded_loops(environment.parse(self._source))
        tree.body = fold(tree.body, values, environment)
        has_loop = next(tree.find_all(nodes.For), None) is not None
        template = environment.from_string(tree)
        return replace(self, has_loop=has_loop, _template=template)


def _limited(pieces: Iterator[str]) -> Iterator[str]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MAX_OUTPUT_CHARACTERS:
            raise OutputTooLong("The text is too long.", characters=total)
        yield piece


def compile_text(source: str, *, kind: TextKind, language: str) -> TextTemplate:
    """Check a text and compile it; about 5 ms, so keep the result.

    Args:
        source: The author's text.
        kind: `HTML` escapes every value.
        language: `zh-hans` or `en`; decides how the filters write dates.

    Raises:
        TemplateRefused: Too large, not readable, or it uses a node, filter, test or attribute that
            is not on the lists; the facts hold `reason` and `line`.
    """
    environment = _environment(kind, language)
    tree, survey = survey_of(source, environment)
    try:
        template = environment.from_string(bounded_loops(tree))
    except TemplateError as err:
        raise TemplateRefused("The text cannot be read.", reason="syntax", line=0) from err
    return TextTemplate(
        kind=kind,
        variables=frozenset(survey.variables),
        required=frozenset(survey.required),
        has_loop=survey.has_loop,
        _source=source,
        _language=language,
        _template=template,
    )


def parse_text(source: str, *, kind: TextKind, language: str) -> nodes.Template:
    """Return the tree of a text that `compile_text` accepts, to be looked at.

    Raises:
        TemplateRefused: As for `compile_text`.
    """
    return survey_of(source, _environment(kind, language))[0]


def freeze(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a context of plain values only; None and empty texts are left out.

    Args:
        values: Texts, numbers, dates, and lists or mappings of them.

    Raises:
        TypeError: A value is an object, which a text must never see.
    """
    return {
        name: _plain(value) for name, value in values.items() if value is not None and value != ""
    }


def _plain(value: Any) -> Any:
    match value:
        case str():
            return value[:MAX_VALUE_CHARACTERS]
        case bool() | int() | Decimal() | datetime() | date():
            return value
        case float():
            return Decimal(repr(value))
        case list() | tuple():
            return tuple(_plain(item) for item in value[:MAX_LIST_ITEMS] if item is not None)
        case Mapping():
            return freeze(value)
        case _:
            raise TypeError(f"{type(value).__name__} is not a plain value")
