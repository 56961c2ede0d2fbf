from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loancrm.kernel.texts.survey import TemplateRefused
from loancrm.kernel.texts.templates import (
    MissingVariable,
    OutputTooLong,
    RenderFailed,
    TextKind,
    compile_text,
    freeze,
)


def _text(source, kind=TextKind.TEXT, language="zh-hans"):
    return compile_text(source, kind=kind, language=language)


def _render(source, kind=TextKind.TEXT, language="zh-hans", **values):
    return _text(source, kind, language).render(freeze(values))


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ name.__class__ }}",
        "{{ name|attr('__class__') }}",
        "{{ name.format(1) }}",
        "{{ name.format_map({}) }}",
        "{{ '%s'|format(name) }}",
        "{{ cycler('a') }}",
        "{{ lipsum(n=100000) }}",
        "{{ range(999999999) }}",
        "{{ 'x' * 100000000 }}",
        "{{ 'x'|center(100000000) }}",
        "{{ 'x' ~ name }}",
        "{{ name % 3 }}",
        "{{ name[0] }}",
        "{{ [1, 2] }}",
        "{{ {'a': 1} }}",
        "{{ name|safe }}",
        "{{ name|tojson }}",
        "{{ name|xmlattr }}",
        "{{ name|map('upper') }}",
        "{{ name|default(value='x') }}",
        "{{ name is callable }}",
        "{{ None }}",
        "{{ name if city }}",
        "{% set x = 1 %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{% block b %}{% endblock %}",
        "{% call x() %}{% endcall %}",
        "{% filter upper %}x{% endfilter %}",
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{% for a, b in names %}{% endfor %}",
        "{% for x in range(9) %}{% endfor %}",
        "{% for x in 'abc' %}{% endfor %}",
        "{% for a in l recursive %}{{ loop(a) }}{% endfor %}",
        "{% for a in l %}{% for b in a.l %}{% for c in b.l %}{% endfor %}{% endfor %}{% endfor %}",
        "{{ name",
        "{% if %}",
        "x" * 32_769,
        "{{ n }}" * 700,
    ],
)
def test_f27_f29_what_is_not_on_the_lists_is_refused_before_it_is_compiled(source):
    with pytest.raises(TemplateRefused):
        _text(source)


def test_a_refusal_names_the_line():
    with pytest.raises(TemplateRefused) as refusal:
        _text("first\nsecond {{ name|safe }}")
    assert refusal.value.facts == {"reason": "filter:safe", "line": 2}


def test_values_are_put_in_and_formatted():
    text = _render(
        "{{ name }}，额度{{ amount|money }}，年化{{ rate|percent }}，{{ until|date }}前",
        name="王小明",
        amount=50000,
        rate=0.072,
        until=date(2026, 11, 5),
    )
    assert text == "王小明，额度¥50,000，年化7.2%，2026年11月5日前"
    assert _render("{{ d|date }}", language="en", d="2026-11-05") == "5 Nov 2026"
    assert _render("{{ a|money }}", a=Decimal("1234.505")) == "¥1,234.51"
    assert _render("{{ n|mask }} {{ p|mask_phone }}", n="王小明", p="+8613800138000") == (
        "王** +86138****8000"
    )


def test_f32_values_are_never_read_as_templates():
    assert _render("{{ name }}", name="{{ 7*7 }}{% if x %}") == "{{ 7*7 }}{% if x %}"


def test_f30_values_are_escaped_in_html_and_left_alone_in_text():
    nasty = "<script>alert('1')</script>&"
    assert _render("{{ name }}", name=nasty) == nasty
    assert _render("{{ name }}", kind=TextKind.HTML, name=nasty) == (
        "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;"
    )
    assert "<script>" not in _render("{{ name|upper|default('<b>') }}", TextKind.HTML, name=nasty)


@pytest.mark.parametrize("missing", [None, ""])
def test_f33_a_missing_value_stops_the_text_and_is_named(missing):
    with pytest.raises(MissingVariable) as refusal:
        _render("尊敬的{{ name }}", name=missing)
    assert refusal.value.name == "name"


@pytest.mark.parametrize(
    "source",
    ["{{ x|upper }}", "{{ x|money }}", "{% if x %}a{% endif %}", "{{ x.y }}", "{{ x > 3 }}"],
)
def test_a_missing_value_stops_the_text_wherever_it_is_used(source):
    with pytest.raises(MissingVariable):
        _render(source)


def test_a_fallback_stands_in():
    assert _render("{{ name|default('客户') }}", name=None) == "客户"
    assert _render("{{ name|default('客户') }}", name="") == "客户"
    assert _render("{{ name|default('客户', true) }}", name="") == "客户"
    assert _render("{{ name|default('客户') }}", name="王") == "王"
    assert _render("{% if city is defined %}{{ city }}{% else %}本地{% endif %}") == "本地"


def test_required_names_are_those_without_a_fallback():
    text = _text(
        "{{ a }}{{ b|default('x') }}{% if c is defined %}{{ c }}{% endif %}"
        "{% for d in e %}{{ d.f }}{{ loop.index }}{% endfor %}{{ 'g' if h else i }}"
    )
    assert text.variables == {"a", "b", "c", "e", "h", "i"}
    assert text.required == {"a", "e", "h", "i"}


def test_a_loop_reads_items_of_mappings_only():
    source = "{% for p in products %}{{ loop.index }}.{{ p.name }} {% endfor %}"
    assert _render(source, products=[{"name": "甲"}, {"name": "乙"}]) == "1.甲 2.乙 "
    with pytest.raises(MissingVariable):
        _render("{% for p in products %}{{ p.items }}{% endfor %}", products=[{"name": "甲"}])
    with pytest.raises(MissingVariable):
        _render("{% for p in products %}{{ p.upper }}{% endfor %}", products=["a"])


def test_output_is_limited():
    source = "{% for a in l %}{% for b in l %}" + "x" * 100 + "{% endfor %}{% endfor %}"
    with pytest.raises(OutputTooLong):
        _render(source, l=["a"] * 50)
    with pytest.raises(OutputTooLong):
        _render("{{ a }}" * 40, a="x" * 2000)


def test_a_value_that_does_not_fit_its_filter_is_named_as_such():
    for source in ("{{ name|money }}", "{{ name|percent }}", "{{ name|date }}", "{{ name > 3 }}"):
        with pytest.raises(RenderFailed):
            _render(source, name="王小明")


@pytest.mark.parametrize("value", [object(), lambda: 1, {1, 2}, b"x", [object()]])
def test_objects_never_reach_a_text(value):
    with pytest.raises(TypeError):
        freeze({"x": value})


def test_the_context_is_not_changed():
    context = freeze({"name": "王", "none": None})
    _text("{{ name }}").render(context)
    assert context == {"name": "王"}


@given(st.text(max_size=200))
def test_any_text_is_compiled_or_refused_never_more(source):
    try:
        compile_text(source, kind=TextKind.TEXT, language="en").render({})
    except (TemplateRefused, MissingVariable, RenderFailed):
        return


@given(st.text(alphabet=st.characters(exclude_characters="\r"), min_size=1, max_size=300))
def test_any_value_comes_out_as_it_went_in(value):
    assert _text("<{{ name }}>").render({"name": value}) == f"<{value}>"
