"""No way out of a door that has not said what was done: it would end as an error for a user."""

import ast

import pytest

from tests.conventions.source import files


def _ends_of(tree):
    """Yield the places where a block of a door ends without a word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and any(map(_is_door, node.items)):
            falls_through = not _walk(node.body, False, found := [])
            yield from found
            if falls_through:
                yield node.lineno


def _is_door(item):
    called = ast.unparse(item.context_expr)
    name = item.optional_vars and ast.unparse(item.optional_vars)
    return "act" in (called, name) or "acting(" in called


def _says(node):
    return any(isinstance(each, ast.Name) and each.id == "act" for each in ast.walk(node))


def _walk(body, is_said, found):
    """Return whether every way through some statements has said something; note early ends."""
    for statement in body:
        if isinstance(statement, ast.Raise):
            return True
        if isinstance(statement, (ast.Return, ast.Continue, ast.Break)):
            if not is_said and not _says(statement):
                found.append(statement.lineno)
            return True
        is_said = _through(statement, is_said, found)
    return is_said


def _through(statement, is_said, found):
    parts = {
        ast.If: lambda: (statement.body, statement.orelse),
        ast.Match: lambda: tuple(case.body for case in statement.cases),
        ast.With: lambda: (statement.body,),
        ast.Try: lambda: (statement.body,),
    }.get(type(statement))
    if parts is None:
        return is_said or _says(statement)
    # All of them are walked, for the ends that they have.
    ends = [_walk(part, is_said, found) for part in parts()]
    return all(ends)


def test_every_way_out_of_a_door_has_said_what_was_done():
    found = [f"{each.path}:{line}" for each in files() for line in _ends_of(each.tree)]
    assert found == []


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("act.record('a')", []),
        ("if x:\n        return 0\n    act.record('a')", [4]),
        ("if x:\n        act.unchanged()\n        return 0\n    act.record('a')", []),
        ("if x:\n        act.record('a')", [2]),
        ("return write(act)", []),
        ("raise Refused", []),
    ],
)
def test_the_scan_finds_what_it_is_for(body, lines):
    source = f"def f():\n  with acting(a, P, now=n) as act:\n    {body}\n"
    assert list(_ends_of(ast.parse(source))) == lines
