"""House rules about files and functions. An exemption names its reason."""

import ast
import re
from collections import Counter

import pytest

from tests.conventions import source

MAX_FILE_LINES = 400
# A test file holds one subject's cases; splitting it hides which are missing.
MAX_TEST_FILE_LINES = 500
MAX_FUNCTION_LINES = 55
# One idea each; a folder that outgrows this is two (docs/adr/0011).
MAX_FILES_IN_A_FOLDER = 20
CATCH_ALL_NAMES = {"utils", "helpers", "common", "misc"}
CLOCK_READERS = {
    "loancrm/kernel/clock.py": "the reader of the clock",
    "campaigns/pages/webhooks.py": "a signature's age is about the provider's clock",
    "campaigns/benchmarks/bare_loop.py": "a baseline outside the product",
    "loancrm/kernel/commands/bench.py": "measures, and names the run by the real time",
    "analytics/management/demo/environment.py": "sets the demo's clock against the real one",
    "campaigns/simulators/sms_gateway.py": "a provider signs and checks by its own clock",
    "campaigns/simulators/reporter.py": "a provider signs by its own clock",
    "campaigns/simulators/evidence.py": "a provider writes down when by its own clock",
}
_CLOCK_CALL = re.compile(
    r"(?<![\w.])(?:time\.time\(\)|datetime\.now\(|date\.today\(|datetime\.utcnow\(|timezone\.now\()"
)
_MARKER = re.compile(r"#\s*(?:TODO|FIXME|XXX|HACK)\b")
_PERSONAL_PLACES = re.compile(r"/(?:home|root|Users)/\w")


@pytest.mark.parametrize("file", [*source.files(), *source.test_files()], ids=lambda f: f.path)
def test_file_is_not_too_long(file):
    limit = MAX_TEST_FILE_LINES if file.path.startswith("tests/") else MAX_FILE_LINES
    assert file.line_count <= limit, file.path


def test_a_folder_is_one_idea():
    folders = Counter(
        file.path.rpartition("/")[0]
        for file in source.files()
        if not file.path.endswith("/__init__.py")
    )

    assert {folder: n for folder, n in folders.items() if n > MAX_FILES_IN_A_FOLDER} == {}


def test_no_file_is_a_catch_all():
    found = [f.path for f in source.files() if f.path.rpartition("/")[2][:-3] in CATCH_ALL_NAMES]

    assert found == []


def test_no_function_is_longer_than_a_screen():
    found = {
        f"{file.path}:{node.name}": source.code_lines(node)
        for file in source.files()
        for node in file.functions()
        if source.code_lines(node) > MAX_FUNCTION_LINES
    }

    assert found == {}


def test_only_the_kernel_reads_the_clock():
    found = [
        f"{file.path}:{number}"
        for file in source.files()
        for number, line in enumerate(file.text.splitlines(), start=1)
        if _CLOCK_CALL.search(line)
        and file.path not in CLOCK_READERS
        # How long something took is not what time it is.
        and "monotonic" not in line
    ]

    assert found == []


def test_settings_are_not_read_while_modules_load():
    found = []
    for file in source.files():
        if file.path.startswith(("loancrm/settings/", "loancrm/celery.py", "loancrm/urls.py")):
            continue
        found += [f"{file.path}:{node.lineno}" for node in _settings_read_at_load(file.tree)]

    assert found == []


def test_every_module_of_the_product_says_what_it_is_for():
    found = [
        file.path
        for file in source.files()
        if not ast.get_docstring(file.tree) and not file.path.endswith("__init__.py")
    ]

    assert found == []


def test_imports_are_absolute():
    found = [
        f"{file.path}:{node.lineno}"
        for file in source.files()
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert found == []


def test_nothing_is_left_for_later_and_no_place_of_a_machine_is_named():
    found = [
        f"{file.path}:{number}"
        for file in source.files()
        for number, line in enumerate(file.text.splitlines(), start=1)
        if _MARKER.search(line) or _PERSONAL_PLACES.search(line)
    ]

    assert found == []


def _settings_read_at_load(tree):
    """Attribute reads of Django's settings outside functions (class bodies run at load too)."""
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        is_read = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if is_read and node.value.id == "settings" and node.attr != "AUTH_USER_MODEL":
            yield node
        stack.extend(ast.iter_child_nodes(node))
