"""Pages are built of components; what a component looks like is written once (ADR 0019)."""

import re

from django.conf import settings
from django.template import engines

from tests.conventions import source

TEMPLATES = source.ROOT / "templates" / "django"
COMPONENTS = TEMPLATES / "components"
# What the style sheet draws for a component alone; the others lay pages out.
CLASSES = frozenset(
    f"lcx-{name}"
    for name in (
        *("badge", "card", "chart", "empty", "facts", "figure", "label", "meter"),
        *("note", "scroll", "state", "table", "tile"),
    )
)
ELEMENTS = re.compile(r"<(table|dl|dt|dd|progress|figure)\b")


def _classes(text: str) -> set[str]:
    return set(re.findall(r"lcx-[a-z]+(?![\w-])", text)) & CLASSES


def test_the_components_have_every_class_that_is_theirs_alone():
    written = {name for path in COMPONENTS.glob("*.html") for name in _classes(path.read_text())}

    assert written == CLASSES


def test_no_page_writes_the_markup_of_a_component():
    found = {
        str(path.relative_to(TEMPLATES)): sorted(names)
        for path in sorted(TEMPLATES.rglob("*.html"))
        if COMPONENTS not in path.parents
        for names in [_classes(path.read_text()) | set(ELEMENTS.findall(path.read_text()))]
        if names
    }

    assert found == {}


def test_no_code_writes_the_markup_of_a_component():
    assert {file.path: names for file in source.files() if (names := _classes(file.text))} == {}


def test_every_component_has_a_tag_and_every_tag_a_component():
    library = engines["django"].engine.template_libraries["components"]

    assert settings.TEMPLATES[1]["OPTIONS"]["libraries"] == {"components": "loancrm.components"}
    assert {path.stem for path in COMPONENTS.glob("*.html")} == set(library.tags)


def test_a_day_in_a_table_stands_on_one_line():
    broken = [
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if re.search(r"<td>\s*\{\{ [\w.]+\|date:", path.read_text(encoding="utf-8"))
    ]

    assert broken == [], 'a cell that begins with a day has the class "lcx-date"'
