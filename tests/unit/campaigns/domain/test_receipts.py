import json
from datetime import timedelta
from itertools import permutations

import pytest

from campaigns.domain.campaign import MESSAGE_MOVES, MessageState
from campaigns.domain.receipts import (
    DeliveryKind,
    is_hard_bounce,
    message_id_of,
    state_reported,
    states_outranked_by,
    strongest,
)
from campaigns.domain.replies import ReplyMeaning, meaning_of
from campaigns.domain.visits import Visit, bursts, is_machine

REPORTS = ("delivered", "bounced_hard", "failed")


@pytest.mark.parametrize("order", list(permutations(REPORTS)))
def test_any_order_of_reports_ends_delivered(order):
    state = MessageState.SENT
    for report in order:
        wanted = state_reported(DeliveryKind(report))
        if state in states_outranked_by(wanted):
            state = wanted
    assert state is MessageState.DELIVERED


def test_reports_never_make_an_illegal_move():
    for state in (MessageState.DELIVERED, MessageState.BOUNCED, MessageState.FAILED):
        for before in states_outranked_by(state):
            assert state in MESSAGE_MOVES[before]
        for closed in (MessageState.SKIPPED, MessageState.HELD_OUT, MessageState.PLANNED):
            assert closed not in states_outranked_by(state)


def test_the_strongest_report_counts():
    assert strongest([MessageState.FAILED, MessageState.DELIVERED]) is MessageState.DELIVERED
    assert strongest([MessageState.FAILED, MessageState.BOUNCED]) is MessageState.BOUNCED


@pytest.mark.parametrize("kind", ["replied", "opened", "clicked", "complained"])
def test_what_people_do_says_nothing_about_delivery(kind):
    assert state_reported(DeliveryKind(kind)) is None


@pytest.mark.parametrize(
    ("code", "is_hard"),
    [
        ("5.1.1", True),
        ("5.1.2", True),
        ("5.1.10", True),
        ("5.2.1", True),
        ("5.2.2", False),
        ("5.7.1", False),
        ("4.4.7", False),
        ("", False),
    ],
)
def test_only_codes_about_the_mailbox_blame_the_address(code, is_hard):
    assert is_hard_bounce(code) is is_hard


@pytest.mark.parametrize(
    ("key", "message_id"),
    [
        ("m12", 12),
        ("<m12@mail.example.com>", 12),
        ("m12@x", 12),
        ("12", None),
        ("m", None),
        ("m-1", None),
        ("m1x", None),
        ("", None),
        ("m" + "9" * 19, None),
        ("m１２", None),
    ],
)
def test_a_key_names_its_message(key, message_id):
    assert message_id_of(key) == message_id


@pytest.mark.parametrize(
    "text",
    [
        "R",
        "r",
        "Ｔ ",
        "TD",
        "td退订",
        "退订。",
        "退订",
        "拒收",
        "取消",
        "不要发",
        "N",
        "0000",
        "Stop!!",
        "STOP",
        "quit",
        "End.",
        "revoke",
        "opt out",
        "Opt-Out",
        "cancel",
        "unsubscribe",
        "“退订”",
        " 退 订 ",
        "退订退订",
        "Ｒ",
    ],
)
def test_words_of_refusal_stop_at_once(text):
    assert meaning_of(text) is ReplyMeaning.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "please stop texting",
        "别发了行不行",
        "再骚扰我就投诉",
        "不要再给我发短信",
        "remove me",
        "我要举报你们",
    ],
)
def test_what_sounds_like_a_refusal_is_for_a_person(text):
    assert meaning_of(text) is ReplyMeaning.REVIEW


@pytest.mark.parametrize(
    "text", ["", "好的", "1", "Y", "thanks", "谢谢", "多少利息", "retry", "0001", "friend"]
)
def test_other_replies_change_nothing(text):
    assert meaning_of(text) is ReplyMeaning.OTHER


@pytest.mark.parametrize(
    ("_case", "method", "headers", "is_bot"),
    [
        ("phone", "GET", {"user-agent": "Mozilla/5.0 (iPhone) Safari"}, False),
        ("head", "HEAD", {"user-agent": "Mozilla/5.0 (iPhone) Safari"}, True),
        ("nameless", "GET", {}, True),
        ("crawler", "GET", {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, True),
        ("library", "GET", {"user-agent": "python-requests/2.34"}, True),
        (
            "prefetch",
            "GET",
            {"user-agent": "Mozilla/5.0", "sec-purpose": "prefetch;prerender"},
            True,
        ),
        ("preview", "GET", {"user-agent": "Mozilla/5.0", "x-purpose": "preview"}, True),
    ],
)
def test_machines_say_so(_case, method, headers, is_bot):
    assert is_machine(method=method, headers=headers) is is_bot


def test_three_links_within_two_seconds_are_a_scanner(now):
    def visit(number, message, link, seconds):
        return Visit(number, message, link, now + timedelta(seconds=seconds))

    scanner = [visit(1, 1, 1, 0), visit(2, 1, 2, 1), visit(3, 1, 3, 2)]
    person = [visit(4, 2, 1, 0), visit(5, 2, 2, 1), visit(6, 2, 3, 30)]
    again = [visit(7, 3, 1, 0), visit(8, 3, 1, 0), visit(9, 3, 1, 1)]
    assert bursts([*person, *scanner, *again]) == {1, 2, 3}


def test_g1_refusals_in_common_words_are_refusals(shared_data):
    cases = json.loads((shared_data / "cases_doors" / "cases.json").read_text())["sms_replies"]
    read = {text: meaning_of(text) for text in cases["at_least_review"]}
    assert [text for text, meaning in read.items() if meaning is ReplyMeaning.OTHER] == []
    others = {text: meaning_of(text) for text in cases["other"]}
    assert set(others.values()) == {ReplyMeaning.OTHER}, others


@pytest.mark.parametrize("text", ["回复R", "退定", "取消订阅", "请勿再发", "別再發了", "回TD"])
def test_g1_a_reply_of_nothing_but_refusal_stops_at_once(text):
    assert meaning_of(text) is ReplyMeaning.OPT_OUT


@pytest.mark.parametrize("text", ["不需要", "不是本人", "don't text me", "发错人了", "不"])
def test_g1_what_may_be_a_refusal_waits_for_a_person(text):
    assert meaning_of(text) is ReplyMeaning.REVIEW


@pytest.mark.parametrize("text", ["什么时候到账", "我了解了", "别忘了还款日", "weekend", "收到"])
def test_g1_questions_and_thanks_are_no_refusals(text):
    assert meaning_of(text) is ReplyMeaning.OTHER
