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
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from loancrm.kernel import text_filters
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.text_folding import fold

MAX_SOURCE_BYTES = 32_768
MAX_OUTPUT_CHARACTERS = 65_536
MAX_NODES = 600
MAX_LOOP_DEPTH = 2
MAX_LIST_ITEMS = 50
MAX_VALUE_CHARACTERS = 2_000

PlainValue: TypeAlias = (
    str | int | Decimal | date | bool | tuple["PlainValue", ...] | Mapping[str, "PlainValue"]
)


class TextKind(StrEnum):
    """Whether values are escaped for HTML when they are put into the text."""

    TEXT = "text"
    HTML = "html"


class TemplateRefused(LoanCrmError):
    """The text uses something that is not allowed, or cannot be read."""

    code = "template_refused"


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


_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Filter,
    nodes.Test,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)
_ALLOWED_TESTS = frozenset({"defined", "undefined"})
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


ALLOWED_FILTERS: frozenset[str] = frozenset(text_filters.filters_for("en"))


@lru_cache(maxsize=8)
def _environment(kind: TextKind, language: str) -> _Environment:
    environment = _Environment(
        undefined=_NamedUndefined, autoescape=kind is TextKind.HTML, trim_blocks=True
    )
    environment.globals.clear()
    environment.filters = text_filters.filters_for(language)
    environment.tests = {name: environment.tests[name] for name in _ALLOWED_TESTS}
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
        pieces = template.root_render_func(template.new_context(context, shared=True))
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
        tree = environment.parse(self._source)
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
    if len(source.encode()) > MAX_SOURCE_BYTES:
        raise TemplateRefused("The text is too long.", reason="source_too_long", line=0)
    environment = _environment(kind, language)
    try:
        tree = environment.parse(source)
    except TemplateError as err:
        line = getattr(err, "lineno", 0) or 0
        raise TemplateRefused(
            f"The text cannot be read (line {line}).", reason="syntax", line=line
        ) from err
    survey = _Survey()
    survey.visit(tree, frozenset(), 0)
    try:
        template = environment.from_string(tree)
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


class _Survey:
    """Walks a parsed text once: refuses what is not allowed, collects the variables."""

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.required: set[str] = set()
        self.has_loop = False
        self._nodes = 0

    def visit(self, node: nodes.Node, known: frozenset[str], loops: int) -> None:
        """Visit a node.

        Args:
            node: What to look at.
            known: Names that are bound by a loop or proven to exist by a test around this node.
            loops: How many loops are around this node.
        """
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse("too_many_nodes", node)
        if not isinstance(node, _ALLOWED_NODES):
            self._refuse(f"not_allowed:{type(node).__name__}", node)
        match node:
            case nodes.For():
                self._visit_loop(node, known, loops)
            case nodes.If() | nodes.CondExpr():
                self._visit_condition(node, known, loops)
            case nodes.Filter() | nodes.Test():
                self._visit_filter_or_test(node, known, loops)
            case nodes.Name():
                self._note(node, known)
            case _:
                self._check_leaf(node)
                for child in node.iter_child_nodes():
                    self.visit(child, known, loops)

    def _note(self, node: nodes.Name, known: frozenset[str]) -> None:
        if node.ctx != "load":
            self._refuse("assignment", node)
        if node.name not in known:
            self.variables.add(node.name)
            self.required.add(node.name)

    def _check_leaf(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Const) and node.value is None:
            self._refuse("none", node)
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            self._refuse("private_attribute", node)

    def _visit_loop(self, node: nodes.For, known: frozenset[str], loops: int) -> None:
        if loops >= MAX_LOOP_DEPTH:
            self._refuse("loop_depth", node)
        if node.recursive or not isinstance(node.target, nodes.Name):
            self._refuse("loop_form", node)
        if not isinstance(node.iter, nodes.Name | nodes.Getattr):
            self._refuse("loop_source", node)
        self.has_loop = True
        self.visit(node.iter, known, loops)
        inside = known | {node.target.name, "loop"}
        for child in [*node.body, *([node.test] if node.test is not None else [])]:
            self.visit(child, inside, loops + 1)
        for child in node.else_:
            self.visit(child, known, loops)

    def _visit_condition(
        self, node: nodes.If | nodes.CondExpr, known: frozenset[str], loops: int
    ) -> None:
        """Visit a condition; inside `if x is defined` the name x is known to exist."""
        self.visit(node.test, known, loops)
        proven = known | _proven_names(node.test)
        if isinstance(node, nodes.CondExpr):
            if node.expr2 is None:
                self._refuse("condition_without_else", node)
            self._visit_proven(node.expr1, proven, known, loops)
            self.visit(node.expr2, known, loops)
            return
        for child in node.body:
            self._visit_proven(child, proven, known, loops)
        for child in [*node.elif_, *node.else_]:
            self.visit(child, known, loops)

    def _visit_proven(
        self, node: nodes.Node, proven: frozenset[str], known: frozenset[str], loops: int
    ) -> None:
        self.variables.update(proven - known)
        self.visit(node, proven, loops)

    def _visit_filter_or_test(
        self, node: nodes.Filter | nodes.Test, known: frozenset[str], loops: int
    ) -> None:
        is_filter = isinstance(node, nodes.Filter)
        allowed = ALLOWED_FILTERS if is_filter else _ALLOWED_TESTS
        if node.name not in allowed or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._refuse(f"{'filter' if is_filter else 'test'}:{node.name}", node)
        if node.node is None:
            self._refuse("filter_block", node)
        may_be_missing = not is_filter or node.name == "default"
        if may_be_missing and isinstance(node.node, nodes.Name):
            if node.node.name not in known:
                self.variables.add(node.node.name)
        else:
            self.visit(node.node, known, loops)
        for argument in node.args:
            self.visit(argument, known, loops)

    def _refuse(self, reason: str, node: nodes.Node) -> NoReturn:
        raise TemplateRefused(
            f"This is not allowed in a text (line {node.lineno}): {reason}.",
            reason=reason,
            line=node.lineno,
        )


def _proven_names(test: nodes.Node) -> frozenset[str]:
    if isinstance(test, nodes.Test) and test.name == "defined":
        return frozenset({test.node.name}) if isinstance(test.node, nodes.Name) else frozenset()
    if isinstance(test, nodes.And):
        return _proven_names(test.left) | _proven_names(test.right)
    return frozenset()


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
