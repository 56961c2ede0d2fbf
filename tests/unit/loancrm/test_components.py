"""The components that pages are built of: what they draw, and what they escape."""

import re

import pytest
from django.core.paginator import Paginator
from django.template import Context, engines
from django.utils import translation

from loancrm.components import component


def draw(text: str, **context: object) -> str:
    """Return what a page with these tags draws, white space folded."""
    engine = engines["django"].engine
    page = engine.from_string("{% load components %}" + text)
    drawn = " ".join(page.render(Context(context)).split())
    return re.sub(r"(?<=>) | (?=<)| (?=>)", "", drawn)


@pytest.mark.parametrize(
    ("tags", "drawn"),
    [
        (
            '{% badge "late" "bad" %}',
            '<span class="lcx-badge" data-tone="bad">late</span>',
        ),
        ("{% badge word %}", '<span class="lcx-badge">&lt;b&gt;</span>'),
        (
            '{% badge "Sent" state="sent" %}',
            '<span class="lcx-badge lcx-state" data-state="sent">Sent</span>',
        ),
        (
            "{% card word %}<p>{{ word }}</p>{% endcard %}",
            (
                '<section class="lcx-card"><header><h2>&lt;b&gt;</h2></header>'
                "<p>&lt;b&gt;</p></section>"
            ),
        ),
        (
            '{% card "A" aside="B" id="x" data_message=True %}{% endcard %}',
            (
                '<section class="lcx-card" id="x" data-message><header><h2>A</h2>'
                '<span class="lcx-quiet lcx-small">B</span></header></section>'
            ),
        ),
        (
            '{% card %}{% card_head "A" %}<a>B</a>{% endcard_head %}{% endcard %}',
            '<section class="lcx-card"><header><h2>A</h2><a>B</a></header></section>',
        ),
        (
            '{% table "A" _("B c")|num more|num %}<tr><td>{{ word }}</td></tr>{% endtable %}',
            (
                '<div class="lcx-scroll"><table class="lcx-table"><thead><tr>'
                '<th scope="col">A</th><th scope="col" class="lcx-num">B c</th>'
                '<th scope="col" class="lcx-num">D</th><th scope="col" class="lcx-num">&lt;</th>'
                "</tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table></div>"
            ),
        ),
        (
            "{% table %}<tr></tr>{% endtable %}",
            (
                '<div class="lcx-scroll"><table class="lcx-table"><tbody><tr></tr></tbody>'
                "</table></div>"
            ),
        ),
        (
            (
                '{% facts pairs %}{% fact "C" %}{{ word }}{% endfact %}'
                '{% fact class="lcx-quiet" %}none{% endfact %}{% endfacts %}'
            ),
            (
                '<dl class="lcx-facts"><dt>A</dt><dd>&lt;i&gt;</dd><dt>C</dt><dd>&lt;b&gt;</dd>'
                '<dd class="lcx-quiet">none</dd></dl>'
            ),
        ),
        (
            '{% note "warn" role="alert" %}{{ word }}{% endnote %}',
            '<div class="lcx-note" data-tone="warn" role="alert">&lt;b&gt;</div>',
        ),
        (
            '{% blank_slate "merge" "A" "B" %}<a>C</a>{% endblank_slate %}',
            (
                '<div class="lcx-empty"><span class="material-symbols-outlined" aria-hidden="true">'
                'merge</span><h3>A</h3><p>B</p><div class="lcx-row"><a>C</a></div></div>'
            ),
        ),
        (
            '{% tile "A" 0 unit="¥" url="/x/" %}<small>B</small>{% endtile %}',
            (
                '<div class="lcx-card lcx-tile" data-linked><span class="lcx-label">'
                '<a href="/x/">A</a></span><strong>¥0</strong><small>B</small></div>'
            ),
        ),
        (
            '{% meter 1200 5000 label="A" is_counted=True %}',
            (
                '<progress class="lcx-meter" value="1200" max="5000" aria-label="A"></progress>'
                '<span class="lcx-quiet">1,200 / 5,000</span>'
            ),
        ),
        ("{% pages page %}", ""),
    ],
)
def test_a_component_draws_its_markup_and_escapes_what_it_is_given(tags, drawn):
    page = Paginator([1], 1).page(1)

    with translation.override("en"):
        found = draw(tags, word="<b>", more=["D", "<"], pairs=[("A", "<i>")], page=page)

    assert found == drawn


def test_a_note_without_words_is_empty_for_the_style_sheet():
    engine = engines["django"].engine
    page = engine.from_string("{% load components %}{% note %}\n {{ nothing }} \n{% endnote %}")

    assert page.render(Context()).strip() == '<div class="lcx-note"></div>'


def test_a_component_sees_nothing_of_the_page_but_what_stands_between_its_tags():
    drawn = draw("{% card %}{{ title }}{% endcard %}", title="of the page", aside="of the page")

    assert drawn == '<section class="lcx-card">of the page</section>'


def test_pages_lead_on_with_what_else_the_address_says():
    page = Paginator([1, 2, 3], 1).page(2)

    drawn = draw("{% pages page query %}", page=page, query="state=done&")

    assert 'href="?state=done&amp;page=1"' in drawn
    assert 'href="?state=done&amp;page=3"' in drawn


def test_a_tile_refuses_what_it_does_not_know():
    with pytest.raises(TypeError, match="tipp"):
        draw('{% tile "A" tipp="x" %}{% endtile %}')


def test_a_list_of_the_admin_gets_the_same_badge_as_a_page():
    assert component("badge", text="<", tone="good").strip() == draw(
        "{% badge word 'good' %}", word="<"
    )


def test_a_per_cent_sign_of_a_translated_text_stands_once():
    with translation.override("zh-hans"):
        drawn = draw('{% table _("95 % interval")|num _("95 % interval") %}{% endtable %}')
        framed = draw('{% card _("95 % interval") %}{% endcard %}')

    assert drawn.count(">95% 区间<") == 2
    assert ">95% 区间<" in framed
