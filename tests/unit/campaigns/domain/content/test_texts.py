from decimal import Decimal

import pytest

from campaigns.domain.content import texts
from campaigns.domain.content.email_html import prepare, text_of, unsafe_links
from campaigns.domain.content.sms_parts import OPT_OUT_TEXT
from campaigns.domain.content.texts import (
    CATALOGUE,
    PersonFields,
    compile_email,
    compile_sms,
    person_context,
    render_email,
    render_sms,
    split_name,
    unknown_variables,
)
from loancrm.kernel.texts.templates import MissingVariable, RenderFailed, freeze


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [
        ("王小明", "王", "小明"),
        ("王明", "王", "明"),
        ("欧阳锋", "欧阳", "锋"),
        ("欧阳", "欧", "阳"),
        ("司马相如", "司马", "相如"),
        ("𠮷小明", "𠮷", "小明"),
        ("Anna Maria Smith", "Smith", "Anna Maria"),
        ("Cher", "Cher", "Cher"),
    ],
)
def test_family_and_given_name(name, family, given):
    assert split_name(name) == (family, given)


@pytest.mark.parametrize(
    ("language", "gender", "title"),
    [
        ("zh-hans", "male", "先生"),
        ("zh-hans", "female", "女士"),
        ("zh-hans", "unknown", "客户"),
        ("en", "male", "Mr"),
        ("en", "female", "Ms"),
        ("en", "", "Customer"),
    ],
)
def test_the_title_follows_the_language_of_the_text(language, gender, title):
    assert person_context(PersonFields("王", gender), language=language)["title"] == title


def test_what_is_not_known_about_a_person_is_left_out():
    assert person_context(PersonFields(""), language="en") == {"title": "Customer"}


def test_every_variable_has_both_labels_and_an_example_that_renders():
    for variable in CATALOGUE:
        assert variable.label_zh
        assert variable.label_en
    freeze(texts.example_context())
    assert len({variable.name for variable in CATALOGUE}) == len(CATALOGUE)


def test_an_email_in_three_parts_with_its_links_numbered():
    compiled = compile_email(
        subject="{{ name }}\n{{ title }}，您好",
        text="看 https://example.com/a?b=1&c=2。退订 {{ unsubscribe_url }}",
        html='<p>{{ name }}</p><a href="https://example.com/a?b=1&amp;c=2">看</a>',
        language="zh-hans",
    )
    assert compiled.link_targets == ("https://example.com/a?b=1&c=2",)
    context = {"name": "<王>", "title": "先生", "unsubscribe_url": "U", "link_0": "https://t/x/"}
    assert render_email(compiled, context) == (
        "<王> 先生，您好",
        "看 https://t/x/。退订 U",
        '<p>&lt;王&gt;</p><a href="https://t/x/">看</a>',
    )


def test_a_compiled_text_is_kept_for_the_process():
    arguments = {"text": "kept {{ name }}", "language": "en"}
    assert compile_sms(**arguments) is compile_sms(**arguments)


def test_a_person_without_a_needed_value_is_named_by_the_variable():
    compiled = compile_sms(text="{{ offer_amount|money }}", language="en")
    with pytest.raises(MissingVariable) as refusal:
        render_sms(compiled, {}, signature="S", opt_out_text="")
    assert refusal.value.name == "offer_amount"


def test_an_sms_is_finished_and_counted_with_everything_around_it():
    compiled = compile_sms(text="{{ name }}，额度{{ a|money }}", language="zh-hans")
    text, parts = render_sms(
        compiled, {"name": "王", "a": Decimal(1)}, signature="诚信", opt_out_text=OPT_OUT_TEXT
    )
    assert (text, parts) == ("【诚信】王，额度¥1，拒收请回复R", 1)
    long = compile_sms(text="汉" * 60, language="zh-hans")
    assert render_sms(long, {}, signature="诚信", opt_out_text=OPT_OUT_TEXT)[1] == 2


def test_characters_that_nobody_sees_do_not_travel_in_an_sms():
    compiled = compile_sms(text="{{ name }}\n您好", language="zh-hans")
    text, _parts = render_sms(
        compiled, {"name": "王\u202e小\u200b明\x07👨\u200d👩"}, signature="", opt_out_text=""
    )
    assert text == "王小明👨\u200d👩\n您好"


@pytest.mark.parametrize("subject", ["{{ city|default(' ') }}", "   "])
def test_a_subject_that_comes_out_empty_is_refused(subject):
    compiled = compile_email(subject=subject, text="x", html="", language="en")
    with pytest.raises(RenderFailed):
        render_email(compiled, {})


def test_f28_names_outside_the_catalogue_are_found():
    compiled = compile_sms(text="{{ name }}{{ id_number }}{{ phone }} https://a.cn", language="en")
    assert unknown_variables(compiled.variables) == ("id_number", "phone")


HTML = """<html><head><style>p { color: red } td { padding: 3px }</style></head><body>
<p onclick="steal()">{{ name }}{% if a > 5 and b < 3 %}{% if c %}<b>{{ b|default("x") }}</b>
{% endif %}{% endif %}</p>
<table><tr><th>h</th></tr>{% for p in products %}<tr><td>{{ p.name }}</td></tr>{% endfor %}</table>
<script>alert(1)</script><iframe src="https://x"></iframe><form action="/"><input></form>
<a href="javascript:alert(1)">bad</a><a href="https://a.example/?x=1&y=2">good</a>
<a href="{{ unsubscribe_url }}">out</a><img src="https://a.example/b.png" onerror="x()" alt="i">
</body></html>"""


def test_html_keeps_its_template_code_in_place_and_loses_what_is_active():
    prepared = prepare(HTML)
    for code in (
        '<p style="color: red;">{{ name }}{% if a > 5 and b < 3 %}{% if c %}<b>',
        '<b>{{ b|default("x") }}</b>',
        '{% for p in products %}<tr><td style="padding: 3px;">{{ p.name }}</td></tr>{% endfor %}',
        '<a href="{{ unsubscribe_url }}">out</a>',
        'href="https://a.example/?x=1&amp;y=2"',
    ):
        assert code in prepared
    for gone in (
        "<script",
        "alert(",
        "onclick",
        "onerror",
        "javascript:",
        "<iframe",
        "<form",
        "<input",
    ):
        assert gone not in prepared
    assert prepare(prepared) == prepared


def test_only_our_own_addresses_may_begin_a_link():
    assert unsafe_links("<a href=\"{{ unsubscribe_url }}\"><a href='{{ link_0 }}'>") == ()
    assert unsafe_links('<a href="{{ name }}"><img src="{{ city }}">') == (
        "{{ name }}",
        "{{ city }}",
    )


def test_the_words_of_html_can_stand_as_plain_text():
    words = text_of(
        "<style>p{}</style><p>您好{{ name }}</p><ul><li>一</li><li>二</li></ul><!-- x -->"
    )
    assert words == "您好{{ name }}\n一\n二"
