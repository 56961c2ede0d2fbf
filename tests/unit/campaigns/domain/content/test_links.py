import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.content.links import (
    LinkPurpose,
    LinkSigner,
    LinkTarget,
    signer_for,
    track_html,
    track_text,
    untracked_in_html,
    untracked_in_text,
)

SIGNER = LinkSigner(b"k" * 32)


@given(message_id=st.integers(0, 2**48 - 1), link_id=st.integers(0, 2**32 - 1))
def test_a_token_names_what_it_was_made_for(message_id, link_id):
    token = SIGNER.token(LinkPurpose.CLICK, message_id=message_id, link_id=link_id)
    assert len(token) == 27
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert SIGNER.read(LinkPurpose.CLICK, token) == LinkTarget(message_id, link_id)


@given(
    position=st.integers(0, 26), letter=st.sampled_from(string.ascii_letters + string.digits + "-_")
)
def test_f58_a_changed_token_names_nothing(position, letter):
    token = SIGNER.token(LinkPurpose.CLICK, message_id=123456, link_id=7)
    changed = token[:position] + letter + token[position + 1 :]
    assert changed == token or SIGNER.read(LinkPurpose.CLICK, changed) is None


def test_tokens_do_not_pass_for_another_purpose_or_deployment():
    token = SIGNER.token(LinkPurpose.CLICK, message_id=1)
    assert SIGNER.read(LinkPurpose.UNSUBSCRIBE, token) is None
    assert LinkSigner(b"j" * 32).read(LinkPurpose.CLICK, token) is None
    assert (
        signer_for("a").read(
            LinkPurpose.CLICK, signer_for("b").token(LinkPurpose.CLICK, message_id=1)
        )
        is None
    )


@pytest.mark.parametrize(
    "token", ["", "x", "a" * 26, "a" * 28, "a" * 26 + "=", "a" * 26 + "é", "../" * 9]
)
def test_what_is_no_token_names_nothing(token):
    assert SIGNER.read(LinkPurpose.CLICK, token) is None


def test_short_keys_are_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        LinkSigner(b"short")


def test_links_of_html_become_variables_once_each():
    linked = track_html(
        "<a href=\"https://a.example/x?b=1&amp;c=2#f\">1</a><A HREF='https://b.example/'>2</A>"
        '<a href="https://a.example/x?b=1&amp;c=2#f">3</a><a href="{{ unsubscribe_url }}">4</a>'
        '<a href="mailto:a@example.com">5</a><a href="https://c.example/?n={{ name }}">6</a>'
    )
    assert linked.targets == ("https://a.example/x?b=1&c=2#f", "https://b.example/")
    assert linked.source.count('href="{{ link_0 }}"') == 2
    assert "HREF='{{ link_1 }}'" in linked.source
    assert 'href="https://c.example/?n={{ name }}"' in linked.source


def test_links_of_a_text_become_variables_without_the_punctuation_after_them():
    linked = track_text(
        "点https://a.cn/b，或 https://c.cn/d?e=1#f. 退订{{ unsubscribe_url }}",
        ("https://c.cn/d?e=1#f",),
    )
    assert linked.targets == ("https://c.cn/d?e=1#f", "https://a.cn/b")
    assert linked.source == "点{{ link_1 }}，或 {{ link_0 }}. 退订{{ unsubscribe_url }}"


def test_a_link_made_with_a_former_secret_opens_and_new_ones_carry_the_new_secret():
    old = signer_for("old").token(LinkPurpose.UNSUBSCRIBE, message_id=7)
    both = signer_for("new", ["older", "old"])
    assert both.read(LinkPurpose.UNSUBSCRIBE, old).message_id == 7
    new = both.token(LinkPurpose.UNSUBSCRIBE, message_id=7)
    assert signer_for("new").read(LinkPurpose.UNSUBSCRIBE, new).message_id == 7
    assert signer_for("old").read(LinkPurpose.UNSUBSCRIBE, new) is None
    assert signer_for("new").read(LinkPurpose.UNSUBSCRIBE, old) is None


@pytest.mark.parametrize(
    "target",
    [
        "https://lender.example/活动?id=1",
        "https://lender.example/p?a=1#还款日",
        "https://lender.example/a_(b)",
        "https://lender.example/活动/列表",
        "https://lender.example/a[1]?x=(y)",
    ],
)
@pytest.mark.parametrize(
    ("before", "after"),
    [("看 ", " 谢谢"), ("（", "）"), ("点击", "，谢谢。"), ("", ""), ("(", ").")],
)
def test_g2_a_link_is_what_its_author_wrote(target, before, after):
    linked = track_text(f"{before}{target}{after}")
    assert linked.targets == (target,)
    assert linked.source == f"{before}{{{{ link_0 }}}}{after}"


@pytest.mark.parametrize(
    "text", ["https://a.cn/x查看详情", "https://a.cn/x{{ name }}", "https://a.cn/" + "x" * 1000]
)
def test_g2_a_link_whose_end_nobody_can_tell_stays_as_written(text):
    linked = track_text(text)
    assert (linked.source, linked.targets) == (text, ())


def test_g2_the_cases_of_links_lead_where_they_say(shared_data):
    cases = json.loads((shared_data / "cases_doors" / "cases.json").read_text())
    for target in cases["links_in_plain_text"]["targets"]:
        linked = track_text(f"详情 {target} 回T退订")
        assert linked.targets == (target,)
        assert linked.source == "详情 {{ link_0 }} 回T退订"


@pytest.mark.parametrize(
    ("text", "target", "source"),
    [
        ("https://a.example/b😀", "https://a.example/b", "{{ link_0 }} 😀"),
        ("看https://a.example/b😀 你好", "https://a.example/b", "看{{ link_0 }} 😀 你好"),
        ("https://a.example/b❤️，拒收请回复R", "https://a.example/b", "{{ link_0 }} ❤️，拒收请回复R"),
        ("HTTPS://a.example/B 好", "HTTPS://a.example/B", "{{ link_0 }} 好"),
        ("Http://A.example", "Http://A.example", "{{ link_0 }}"),
    ],
)
def test_u45_pictures_end_a_link_and_capitals_begin_one(text, target, source):
    linked = track_text(text)
    assert linked.targets == (target,)
    assert linked.source == source


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("详情 www.haojie.example/a", ("www.haojie.example/a",)),
        ("请访问haojie.example/a。", ("haojie.example/a",)),
        ("haojie.cn, haojie.cn", ("haojie.cn",)),
        ("https://a.cn/x查看详情", ("https://a.cn/x查看详情",)),
        ("https://a.cn/x 写信给 a@haojie.cn", ()),
        ("利率7.2%，{{ product.co }}起，3.14 e.g. 例", ()),
        ("https://a.cn/www.b.cn 谢谢", ()),
        ("HTTPS://a.cn😀", ()),
    ],
)
def test_u45_what_can_be_opened_and_is_not_counted_is_known(text, found):
    assert untracked_in_text(text) == found


def test_u45_links_of_html_without_a_scheme_are_known():
    source = '<a href="www.a.example/x">a</a><a href="https://b.cn">b.cn</a><a href="{{ x }}">c</a>'
    assert untracked_in_html(source) == ("www.a.example/x",)
    assert untracked_in_html('<a href="mailto:a@b.cn">b.cn</a><a href="#top">x</a>') == ()
