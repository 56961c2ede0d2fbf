"""No class name is used twice, and functions are named by the words of the glossary."""

import re
from collections import defaultdict

from tests.conventions import source

# Django and its admin look for these by name, once a file.
EVERYWHERE = {"Meta", "Command", "Config"}

# Words of our own for which the field or the framework has one; docs/glossary.md names that one.
PRIVATE_VERBS = re.compile(
    r"(?:^|_)(?:keep|keeps|kept|tell|tells|telling|told|hear|hears|heard|hearing|tally|tallies|lone"
    r"|newcomers?|wish|wishes)(?:_|$)|(?:^|_)carr(?:y|ied)_out(?:_|$)|^_?find$"
)
# Each with the reason for which it stays.
ALLOWED = {
    "customers/services/identity/merging.py:keep_apart": "the name of an audited action",
    "analytics/services/discovery_runs.py:_told": "goes with the claim of a discovery",
    "loancrm/kernel/models.py:SignInTally": "the name of a table",
}


def test_no_class_name_is_used_twice():
    files = defaultdict(list)
    for file in source.files():
        for node in file.classes():
            if node.name not in EVERYWHERE:
                files[node.name].append(f"{file.path}:{node.lineno}")

    assert {name: found for name, found in files.items() if len(found) > 1} == {}


def test_functions_classes_and_modules_are_named_by_the_words_of_the_glossary():
    named = {
        f"{file.path}:{node.name}"
        for file in source.files()
        for node in (*file.functions(), *file.classes())
        if PRIVATE_VERBS.search(_in_snake_case(node.name))
    }
    modules = {
        file.path
        for file in source.files()
        if any(PRIVATE_VERBS.search(part) for part in file.path.removesuffix(".py").split("/"))
    }

    # Both ways: what is gone is taken off the list, or it would let the next one in.
    assert named | modules == set(ALLOWED)


def _in_snake_case(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
