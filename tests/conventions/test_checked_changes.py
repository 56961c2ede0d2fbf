"""Changes reach a row only as values that were checked: no service sets whatever it is handed."""

import ast

from tests.conventions import source

# Where a service sets a column whose name is a variable, and what bounds the names.
SETTERS = {
    "campaigns/services/campaigns/authoring.py": (
        "parse_changes knows the fields and checks their values"
    ),
    "campaigns/services/campaigns/message_steps.py": "the caller writes the names out",
    "customers/services/demo/data.py": "the counts of its own dataclass",
    "customers/services/imports/steps/apply.py": "a count of the import, by the state of a row",
    "customers/services/imports/restore.py": "columns that an import itself wrote down",
    "campaigns/services/filing/filings.py": "what people write about a filing, checked as a whole",
    "customers/services/imports/counts.py": "the counts of an import",
    "customers/services/imports/steps/write.py": "the fields of a mapping, read and checked by row",
    "customers/services/identity/merge_undo.py": "columns that a merge itself wrote down",
    "customers/services/identity/merge_values.py": "columns that a merge settles",
}
# Where keywords go into an update or a row as they come: its callers are steps of one service, and
# write the names out.
PASSED_ON = {
    "customers/services/segments/versions.py": "the one place where segments are created",
}
_WRITES = {"update", "create", "get_or_create", "update_or_create"}


def _services() -> list[source.SourceFile]:
    return [file for file in source.files() if "/services/" in file.path]


def _calls(file: source.SourceFile) -> list[ast.Call]:
    return [node for node in ast.walk(file.tree) if isinstance(node, ast.Call)]


def test_c3_services_that_set_columns_by_name_are_known() -> None:
    found = {
        file.path
        for file in _services()
        for call in _calls(file)
        if isinstance(call.func, ast.Name) and call.func.id == "setattr"
    }
    assert found == set(SETTERS)


def _hands_on(function: ast.FunctionDef, call: ast.Call) -> bool:
    """Return whether a call that writes a row takes all keywords of the function it stands in."""
    if function.args.kwarg is None or not isinstance(call.func, ast.Attribute):
        return False
    name = function.args.kwarg.arg
    whole = [item.value for item in call.keywords if item.arg is None]
    is_whole = any(isinstance(value, ast.Name) and value.id == name for value in whole)
    return is_whole and call.func.attr in _WRITES


def test_c3_no_service_hands_keywords_of_its_caller_on_to_a_table() -> None:
    found = {
        file.path
        for file in _services()
        for function in file.functions()
        for call in ast.walk(function)
        if isinstance(function, ast.FunctionDef)
        and isinstance(call, ast.Call)
        and _hands_on(function, call)
    }
    assert found == set(PASSED_ON)
