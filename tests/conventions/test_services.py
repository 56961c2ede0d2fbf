"""Public services are called by keyword and fully annotated; error codes are unique."""

import ast
import importlib
import pkgutil
from collections import Counter

from loancrm.kernel.errors import LoanCrmError
from tests.conventions import source

PACKAGES = ("loancrm", "customers", "campaigns", "analytics")
# Settings of other environments, and entry points that look into the database when they start.
NOT_IMPORTED = (".settings", ".migrations", ".wsgi", ".asgi")
# An object and what becomes of it read well without names; a third argument does not.
MAX_POSITIONAL = 2


def _public_functions():
    for package in ("customers", "campaigns", "analytics"):
        for file in source.in_folder(package, "services"):
            for node in file.tree.body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    yield file.path, node


def test_public_services_with_several_arguments_take_keywords():
    found = [
        f"{path}:{node.name}"
        for path, node in _public_functions()
        if len(node.args.args) > MAX_POSITIONAL
    ]

    assert found == []


def test_public_services_are_annotated():
    found = [
        f"{path}:{node.name}"
        for path, node in _public_functions()
        if node.returns is None
        or any(arg.annotation is None for arg in [*node.args.args, *node.args.kwonlyargs])
    ]

    assert found == []


def _all_errors() -> list[type[LoanCrmError]]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not any(part in module.name for part in NOT_IMPORTED):
                importlib.import_module(module.name)
    found: list[type[LoanCrmError]] = []
    stack = [LoanCrmError]
    while stack:
        for child in stack.pop().__subclasses__():
            if child.__module__.split(".")[0] in PACKAGES:
                found.append(child)
                stack.append(child)
    return found


def test_every_error_has_a_code_of_its_own_in_snake_case():
    errors = _all_errors()
    codes = Counter(error.code for error in errors if "code" in vars(error))

    assert [code for code, count in codes.items() if count > 1] == []
    assert all(code.replace("_", "").isalnum() and code == code.lower() for code in codes)
    bare = [error.__name__ for error in errors if error.code == "error"]
    assert bare == []


def test_every_error_says_what_it_means():
    assert [error.__name__ for error in _all_errors() if not error.__doc__] == []


def _touches_consents(node: ast.Call) -> bool:
    """Whether a call makes, loads, changes or removes rows of the consent tables."""
    names = {"ConsentRecord", "ConsentState"}
    writing = {"create", "bulk_create", "update_or_create", "get_or_create", "update", "delete"}
    function = node.func
    if isinstance(function, ast.Name) and function.id in names:
        return True
    used = {item.id for item in ast.walk(function) if isinstance(item, ast.Name)}
    if isinstance(function, ast.Attribute) and function.attr in writing and used & names:
        return True
    called = getattr(function, "attr", getattr(function, "id", ""))
    first = node.args[0] if node.args else None
    return called in {"load_rows", "load_objects", "update_rows"} and (
        isinstance(first, ast.Name) and first.id in names
    )


def test_the_consent_ledger_has_one_writer():
    found = {
        file.path
        for file in source.files()
        if "/benchmarks/" not in file.path
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call) and _touches_consents(node)
    }

    assert found == {"customers/services/consents/ledger.py"}
