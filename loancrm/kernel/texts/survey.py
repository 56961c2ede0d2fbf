"""What an author's text may hold, looked at before any of it is compiled.

A text is refused in words when it is nested too deeply, walks too far or uses what is not on the
lists; the parser, the compiler and the renderer never meet what they would die of.
"""

import re
from typing import NoReturn

from jinja2 import Environment, TemplateError, nodes

from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.texts import filters

MAX_SOURCE_BYTES = 32_768
MAX_NODES = 600
MAX_DEPTH = 24
MAX_BRACKETS = 12
MAX_EXPRESSION_TOKENS = 200
MAX_BLOCK_DEPTH = 16
MAX_LOOP_DEPTH = 2
# Nodes that one rendering may walk when every list is as long as lists can be.
MAX_STEPS = 100_000
MAX_LIST_ITEMS = 50

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
ALLOWED_TESTS = frozenset({"defined", "undefined"})
ALLOWED_FILTERS: frozenset[str] = frozenset(filters.filters_for("en"))
# Put around the source of every loop; no author can write its name.
ITEMS_FILTER = "$items"

_UNNESTED = frozenset({"whitespace", "data", "comment"})
_BEGINNINGS = frozenset({"block_begin", "variable_begin"})
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_BLOCKS = {"if": 1, "for": 1, "endif": -1, "endfor": -1}
_NO_TEXT = re.compile("[\\x00\\ud800-\\udfff]")


class TemplateRefused(LoanCrmError):
    """The text uses something that is not allowed, or cannot be read."""

    code = "template_refused"


def survey_of(source: str, environment: Environment) -> tuple[nodes.Template, "Survey"]:
    """Parse a text and look at all of it.

    Raises:
        TemplateRefused: As `text_templates.compile_text` says.
    """
    try:
        size = len(source.encode())
    except UnicodeEncodeError as err:
        raise _unreadable("not_text", 0) from err
    if "\0" in source:
        raise _unreadable("not_text", source.count("\n", 0, source.index("\0")) + 1)
    if size > MAX_SOURCE_BYTES:
        raise TemplateRefused("The text is too long.", reason="source_too_long", line=0)
    try:
        _require_shallow(source, environment)
        tree = environment.parse(source)
    except TemplateError as err:
        raise _unreadable("syntax", getattr(err, "lineno", 0) or 0) from err
    except ValueError as err:
        # Digits without end: Python refuses to read them as a number.
        raise _unreadable("number", 0) from err
    survey = Survey()
    survey.visit(tree, frozenset(), 0)
    return tree, survey


def bounded_loops(tree: nodes.Template) -> nodes.Template:
    """Let every loop of a parsed text run over lists alone, and only over their first items."""
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(
            loop.iter,
            ITEMS_FILTER,
            [],
            [],
            None,
            None,
            lineno=loop.lineno,
            environment=loop.environment,
        )
    return tree


class Survey:
    """Walks a parsed text once: refuses what is not allowed, collects the variables."""

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.required: set[str] = set()
        self.has_loop = False
        self._nodes = 0
        self._steps = 0
        self._depth = 0

    def visit(self, node: nodes.Node, known: frozenset[str], loops: int) -> None:
        """Visit a node.

        Args:
            node: What to look at.
            known: Names that are bound by a loop or proven to exist by a test around this node.
            loops: How many loops are around this node.
        """
        self._nodes += 1
        self._steps += MAX_LIST_ITEMS**loops
        if self._nodes > MAX_NODES:
            self._refuse("too_many_nodes", node)
        if self._steps > MAX_STEPS:
            self._refuse("too_many_steps", node)
        if self._depth >= MAX_DEPTH:
            self._refuse("too_deep", node)
        self._depth += 1
        self._look_at(node, known, loops)
        self._depth -= 1

    def _look_at(self, node: nodes.Node, known: frozenset[str], loops: int) -> None:
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
        if isinstance(node, nodes.Const) and _NO_TEXT.search(str(node.value)):
            # Written as an escape, it passes the look at the source.
            self._refuse("not_text", node)
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
        allowed = ALLOWED_FILTERS if is_filter else ALLOWED_TESTS
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


def _unreadable(reason: str, line: int) -> TemplateRefused:
    return TemplateRefused(f"The text cannot be read (line {line}).", reason=reason, line=line)


def _require_shallow(source: str, environment: Environment) -> None:
    """Refuse what is nested deeper than the parser's own recursion bears, before it is parsed.

    The lexer goes through a text without recursion; the parser and the compiler recurse for every
    bracket, block and operator, and die of a deep text as an error of the machine.
    """
    blocks = brackets = tokens = 0
    is_first = False
    for line, kind, value in environment.lex(source):
        if kind in _UNNESTED:
            continue
        if kind in _BEGINNINGS:
            tokens = brackets = 0
        tokens += 1
        brackets += _BRACKETS.get(value, 0) if kind == "operator" else 0
        blocks += _BLOCKS.get(value, 0) if is_first else 0
        is_first = kind == "block_begin"
        if blocks > MAX_BLOCK_DEPTH or brackets > MAX_BRACKETS or tokens > MAX_EXPRESSION_TOKENS:
            raise TemplateRefused(
                f"The text is nested too deeply (line {line}).", reason="too_deep", line=line
            )
