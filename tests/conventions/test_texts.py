"""Everything that a person reads exists in Chinese and English."""

import ast
import re

import pytest
from django.utils import translation

from customers.selectors.segments import catalogue as segment_catalogue
from tests.conventions import source

SAME_IN_CHINESE = {"HTML", "AUC", "KS", "PSI", "WOE"}
_IN_TEMPLATES = re.compile(r"""(translate |_\()"([^"]+)"(?! context)""")
_TRANSLATORS = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext"}


def test_no_computed_text_is_handed_to_the_translator():
    found = [
        f"{file.path}:{node.lineno}"
        for file in source.files()
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _TRANSLATORS
        and node.args
        and not isinstance(node.args[0], ast.Constant)
    ]

    assert found == []


@pytest.mark.django_db
def test_every_rule_field_has_labels_in_both_languages():
    catalogue = segment_catalogue.load_catalogue()
    specs = [*catalogue.fields.values(), *catalogue.loan_fields.values()]

    assert specs
    for spec in specs:
        assert spec.label.zh.strip(), spec.name
        assert spec.label.en.strip(), spec.name
        assert spec.label.en.isascii(), spec.name
        for option in spec.options:
            assert option.label.zh.strip(), spec.name
            assert option.label.en.strip(), spec.name


def test_every_text_of_the_product_has_a_chinese_translation():
    texts = {
        node.args[0].value: file.path
        for file in source.files()
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"_", "gettext", "gettext_lazy"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }

    with translation.override("zh-hans"):
        found = {path: text for text, path in texts.items() if translation.gettext(text) == text}

    assert found == {}


def test_every_text_of_a_page_has_a_chinese_translation():
    """Django doubles the per cent signs of texts in templates before it looks them up."""
    texts: dict[str, str] = {}
    for path in sorted((source.ROOT / "templates" / "django").rglob("*.html")):
        for word, text in _IN_TEMPLATES.findall(path.read_text(encoding="utf-8")):
            texts.setdefault(text.replace("%", "%%"), f"{path.name}: {word}")

    assert len(texts) > 500
    with translation.override("zh-hans"):
        found = {
            text: where
            for text, where in texts.items()
            if translation.gettext(text) == text and text not in SAME_IN_CHINESE
        }

    assert found == {}
