"""What is the same for everybody is rendered once, and nobody's text changes by it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loancrm.kernel.texts.templates import MissingVariable, TextKind, compile_text, freeze

FIXED = freeze(
    {
        "brand": "A & B <金融>",
        "products": [
            {"name": "安心借", "amount": Decimal(80_000)},
            {"name": "随心还", "amount": Decimal(200_000)},
        ],
    }
)
TEXTS = (
    "{{ brand }}，{{ name }}",
    "{% for p in products %}{{ p.name }} {{ p.amount | money }}；{% endfor %}{{ name }}",
    "{% for p in products %}{{ loop.index }}{{ p.name }} {{ name }}{% endfor %}",
    "{% if city is defined %}{{ city }}{{ brand }}{% else %}{{ brand }}{% endif %}",
    "{% if brand == 'x' %}x{% else %}{{ brand | upper }}{% endif %}{{ name }}",
    "{% for brand in cities %}{{ brand }},{% endfor %}{{ brand }}",
    "{{ brand if city is defined else name }}",
    "{{ city | default(brand) }}",
    "{% for city in cities %}{% for p in products %}{{ city }}{{ p.name }}{% endfor %}{% endfor %}",
)
PEOPLE = (
    freeze({"name": "王小明", "city": "杭州", "cities": ["杭州", "成都"]}),
    freeze({"name": "<b>", "cities": []}),
)


@pytest.mark.parametrize("kind", list(TextKind))
@pytest.mark.parametrize("source", TEXTS)
def test_everybody_gets_the_same_text_as_before(source, kind):
    text = compile_text(source, kind=kind, language="zh-hans")
    folded = text.with_fixed(FIXED)
    for person in PEOPLE:
        context = {**person, **FIXED}
        assert folded.render(dict(context)) == text.render(dict(context))


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4))
def test_texts_in_a_row_stay_what_they_were(sources):
    text = compile_text("\n".join(sources), kind=TextKind.HTML, language="en")
    for person in PEOPLE:
        context = {**person, **FIXED}
        assert text.with_fixed(FIXED).render(dict(context)) == text.render(dict(context))


def test_what_is_fixed_is_not_asked_for_again():
    text = compile_text(TEXTS[1], kind=TextKind.TEXT, language="zh-hans")
    folded = text.with_fixed(FIXED)
    assert (text.has_loop, folded.has_loop) == (True, False)
    assert folded.render({"name": "王小明"}) == "安心借 ¥80,000；随心还 ¥200,000；王小明"


def test_a_part_that_cannot_be_rendered_is_reported_with_the_person():
    text = compile_text(
        "{% for p in products %}{{ p.rate | percent }}{% endfor %}{{ name }}",
        kind=TextKind.TEXT,
        language="en",
    ).with_fixed(FIXED)
    with pytest.raises(MissingVariable) as missing:
        text.render({"name": "Li", **FIXED})
    assert missing.value.name == "rate"
