"""Rendering once what a text says to everybody, before it is rendered for each person."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, meta, nodes

from loancrm.kernel.errors import LoanCrmError


def fold(
    body: list[nodes.Node], values: Mapping[str, Any], environment: Environment
) -> list[nodes.Node]:
    """Render the parts of a body that read nothing but `values`; bodies of loops bind own names."""
    found: list[nodes.Node] = []
    for node in body:
        match node:
            case nodes.Output():
                parts = [_rendered(part, values, environment) or part for part in node.nodes]
                found.append(nodes.Output(parts, lineno=node.lineno))
            case nodes.For() | nodes.If() if text := _rendered(node, values, environment):
                found.append(nodes.Output([text], lineno=node.lineno))
            case nodes.If():
                node.body = fold(node.body, values, environment)
                node.else_ = fold(node.else_, values, environment)
                found.append(node)
            case _:
                found.append(node)
    return found


def _rendered(
    node: nodes.Node, values: Mapping[str, Any], environment: Environment
) -> nodes.TemplateData | None:
    """Return what a node comes to for everybody, None where that depends on the person."""
    if isinstance(node, nodes.TemplateData):
        return node
    whole = node if isinstance(node, nodes.Stmt) else nodes.Output([node], lineno=node.lineno)
    tree = nodes.Template([whole], lineno=node.lineno)
    tree.set_environment(environment)
    if not meta.find_undeclared_variables(tree) <= values.keys():
        return None
    template = environment.from_string(tree)
    try:
        text = "".join(template.root_render_func(template.new_context(dict(values), shared=True)))
    except (LoanCrmError, TypeError, ValueError, ArithmeticError):
        return None
    return nodes.TemplateData(text, lineno=node.lineno)
