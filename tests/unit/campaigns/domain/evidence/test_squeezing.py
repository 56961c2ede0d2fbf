"""A kept text is read again byte for byte, and costs little beside its form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.evidence import squeezing

FORM = squeezing.joined(["示例金融", "{{ name }}，您好", "本月额度可用 {{ link_0 }}", ""]).encode()


@given(
    st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), max_size=4),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_f15_any_text_comes_back_byte_for_byte(parts, form):
    text = squeezing.joined(parts)
    raw = form.encode()
    assert squeezing.unsqueezed(squeezing.squeezed(text, raw), raw) == text
    assert squeezing.parts_of(text) == tuple(parts)


@pytest.mark.parametrize("length", [1, 40, 400])
def test_f15_what_texts_have_in_common_is_kept_once(length):
    form = squeezing.joined([f"第{number}段：本月额度可用。" for number in range(length)])
    text = form.replace("第0段", "王小明女士")
    assert len(squeezing.squeezed(text, form.encode())) < 100 + len(text) / 25


def test_f15_a_text_longer_than_the_small_window_comes_back():
    text = squeezing.joined(["x", "y" * 3, "".join(chr(0x4E00 + n % 5000) for n in range(30_000))])
    assert squeezing.unsqueezed(squeezing.squeezed(text, FORM), FORM) == text
