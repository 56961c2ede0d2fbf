from datetime import timedelta
from itertools import permutations

import pytest

from campaigns.domain.receipts.report import (
    DeliveryKind,
    message_id_of,
    state_reported,
    states_outranked_by,
    strongest,
)
from campaigns.domain.receipts.visits import Visit, bursts, machine_sign
from campaigns.domain.sending.states import MESSAGE_MOVES, MessageState

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
    assert (machine_sign(method=method, headers=headers) is not None) is is_bot


def test_three_links_within_two_seconds_are_a_scanner(now):
    def visit(number, message, link, seconds):
        return Visit(number, message, link, now + timedelta(seconds=seconds))

    scanner = [visit(1, 1, 1, 0), visit(2, 1, 2, 1), visit(3, 1, 3, 2)]
    person = [visit(4, 2, 1, 0), visit(5, 2, 2, 1), visit(6, 2, 3, 30)]
    again = [visit(7, 3, 1, 0), visit(8, 3, 1, 0), visit(9, 3, 1, 1)]
    assert bursts([*person, *scanner, *again]) == {1, 2, 3}
