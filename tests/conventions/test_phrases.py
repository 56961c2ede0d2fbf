"""What may be stored as the reason of an end is worded so that everybody can read it."""

import ast

from tests.conventions import source

# Services whose refusals are stored: an import's, a search's for duplicates, a discovery's.
STORING = (
    "customers.services.imports.from_file",
    "customers.services.imports.jobs",
    "customers.services.identity.duplicate_searches",
    "analytics.services.discovery_runs",
)
_LAYERS = (".services.", ".selectors.", "loancrm.kernel.")


def _modules() -> dict[str, ast.Module]:
    return {file.path.removesuffix(".py").replace("/", "."): file.tree for file in source.files()}


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def _words_for_now_only(tree: ast.Module) -> bool:
    """Return whether a module refuses in text that cannot be put into another language."""
    is_refusing = any(isinstance(node, ast.Raise) for node in ast.walk(tree))
    return is_refusing and "django.utils.translation.gettext" in _imported(tree)


def test_d_what_may_be_stored_is_worded_as_a_phrase() -> None:
    modules = _modules()
    reached, waiting = set(), list(STORING)
    while waiting:
        name = waiting.pop()
        if name in modules and name not in reached:
            reached.add(name)
            waiting += [
                other
                for other in _imported(modules[name])
                if any(part in other for part in _LAYERS)
            ]
    assert reached >= set(STORING)
    assert len(reached) > 30
    assert [name for name in sorted(reached) if _words_for_now_only(modules[name])] == []


def test_d_a_reason_that_is_stored_stands_in_a_column_of_phrases() -> None:
    found = [
        f"{file.path}:{node.lineno}"
        for file in source.files()
        if "/models/" in file.path
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "problem"
        and isinstance(node.value, ast.Call)
        and not ast.unparse(node.value.func).endswith("PhraseField")
    ]
    # Of a receipt it is a code of `ReceiptProblem`, read aloud by the page.
    assert [place.partition(":")[0] for place in found] == ["campaigns/models/receipt.py"]
