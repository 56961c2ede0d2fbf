from datetime import date
from pathlib import Path

import pytest

from campaigns.domain.compliance import rulebook
from campaigns.domain.compliance.rules import LenderType
from campaigns.domain.content import lint, texts
from campaigns.domain.content.email_html import prepare

RULES = rulebook.rules_on(date(2026, 11, 1), LenderType.BANK)

STARTERS = Path(__file__).resolve().parents[5] / "templates" / "jinja2" / "starters"
LANGUAGES = ("zh-hans", "en")


def _read(kind, name):
    return (STARTERS / kind / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["welcome", "win_back"])
def test_starter_text_messages_pass_the_lint(name, language):
    text = _read("sms", f"{name}.{language}.txt")
    problems = lint.check_sms(
        text=text, language=language, signature="示例金融", is_marketing=True, rules=RULES
    )
    assert not lint.blocks(problems)


@pytest.mark.parametrize("language", LANGUAGES)
def test_starter_emails_pass_the_lint_and_render(language):
    html = prepare(_read("email", f"retention.{language}.html"))
    subject = _read("email", f"retention.{language}.subject.txt").strip()
    text = _read("email", f"retention.{language}.txt")
    problems = lint.check_email(
        subject=subject,
        text=text,
        html_source=html,
        language=language,
        is_marketing=True,
        rules=RULES,
    )
    assert not lint.blocks(problems)
    compiled = texts.compile_email(subject=subject, text=text, html=html, language=language)
    context = {**texts.example_context(), "link_0": "https://example.com/t/x/"}
    _subject, plain, rendered = texts.render_email(compiled, context)
    assert "https://example.com/account" not in plain + rendered
    assert "style=" in rendered
    assert "<style" not in rendered


def test_every_starter_exists_in_both_languages():
    names = {path.name.replace(".zh-hans", "") for path in STARTERS.rglob("*.zh-hans*")}
    assert names == {path.name.replace(".en", "") for path in STARTERS.rglob("*.en*")}
    assert len(names) == 5
