import gzip
import json
import zlib
from datetime import UTC, datetime

import pytest

from campaigns.channels import http_items
from campaigns.channels.base import Asked, Outbound, SmsPayload
from campaigns.channels.errors import ChannelBlocked, ChannelUnavailable
from campaigns.channels.http_answers import read, read_fates, seconds_of

NOW = datetime(2026, 3, 4, 2, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("60", 60),
        ("0.5", 0.5),
        (" 7 ", 7),
        ("Wed, 04 Mar 2026 02:02:00 GMT", 120),
        ("Wed, 04 Mar 2026 01:00:00 GMT", 0),
        ("Thu, 05 Mar 2026 02:00:00 GMT", 3600),
        ("99999999", 3600),
        ("-5", 0),
        ("nan", 5),
        ("soon", 5),
        ("", 5),
        (None, 5),
    ],
)
def test_a3_a_retry_after_is_read_in_both_of_its_forms_and_capped(header, seconds):
    assert seconds_of(header, now=NOW) == seconds


GROUP = [
    Outbound(n, f"m{n}", f"+861380011000{n}", SmsPayload("【诚信】您好", 1)) for n in (1, 2, 3)
]


def answered(body, **changes):
    """Return what an answer says of three messages, as outcomes and codes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    arguments = {"channel": "sms", "status": 200, "retry_after": None, "knows_keys": False}
    results = read(GROUP, content=content, now=NOW, **{**arguments, **changes})
    assert [result.message_id for result in results] == [1, 2, 3]
    return [(result.outcome.value, result.code) for result in results]


def accepted(number, **fields):
    return {"id": f"m{number}", "status": "accepted", "message_id": f"p{number}", **fields}


ALL = [accepted(1), accepted(2), accepted(3)]
TAKEN = [("accepted", "")] * 3


@pytest.mark.parametrize(
    "odd",
    [
        {"code": None},
        {"code": 0},
        {"code": []},
        {"detail": None},
        {"detail": {"text": "ok"}},
        {"message_id": 12},
        {"message_id": None},
        {"status": " Accepted "},
        {"parts": [1], "price": 1e400},
        {"detail": "\ud800\u0000"},
    ],
)
def test_a2_an_odd_field_of_one_item_costs_nobody_an_answer(odd):
    outcomes = answered({"results": [{**accepted(1), **odd}, *ALL[1:]], "balance": {}})
    assert [outcome for outcome, _code in outcomes] == ["accepted"] * 3


@pytest.mark.parametrize("item", [None, "m1", [], {"id": "m1"}, {"id": "m1", "status": 5}, {}])
def test_a2_an_item_that_cannot_be_read_is_uncertain_alone(item):
    assert answered({"results": [item, *ALL[1:]]}) == [("unknown", "no_result"), *TAKEN[1:]]


def test_a2_the_codes_that_a_gateway_gives_can_be_stored():
    item = {
        "id": "m1",
        "status": "rejected",
        "code": "a\u0000\ud800" + "b" * 90,
        "message_id": "\u0000",
    }
    (result, *_others) = read(
        GROUP[:1], channel="sms", status=200, retry_after=None,
        content=json.dumps({"results": [item]}).encode(), now=NOW, knows_keys=False,
    )  # fmt: skip
    assert result.code == "a" + "b" * 39
    assert result.provider_message_id.isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + json.dumps({"results": ALL}).encode(),
        json.dumps({"results": [{**item, "detail": "成功"} for item in ALL]}, ensure_ascii=False)
        .encode("gb18030"),
        json.dumps({"code": 200, "error": "", "results": ALL}).encode(),
        json.dumps({"error": None, "code": None, "results": ALL}).encode(),
    ],
)  # fmt: skip
def test_f22_an_answer_is_read_in_whatever_form_gateways_write_it(content):
    assert answered(content) == TAKEN


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b"null", b"5", b"\xff\xfe\x00", b"[" * 100_000, b"1" * 9_000],
)
def test_a2_what_is_no_answer_is_uncertain_and_never_an_error(content):
    assert answered(content) == [("unknown", "answer_unreadable")] * 3


@pytest.mark.parametrize("body", [{"code": 0}, {"code": "200"}, {"code": "OK", "error": ""}, {}])
def test_a2_a_code_of_success_without_results_does_not_say_that_nothing_was_taken(body):
    assert answered(body) == [("unknown", "no_result")] * 3


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "balance", "message": "insufficient balance"}},
        {"code": 4005, "error": "余额不足"},
        {"code": "insufficient_balance", "results": None},
        {"error": {"code": "insufficient_balance", "message": None}, "results": []},
    ],
)
def test_a6_an_account_without_money_is_understood_in_whatever_form_it_is_told(body):
    with pytest.raises(ChannelBlocked):
        answered(body)


@pytest.mark.parametrize(
    ("others", "outcome"),
    [
        ([{"status": "retry", "code": "x"}], ("accepted", "")),
        ([{"status": "rejected", "code": "number_invalid"}], ("accepted", "")),
        ([{"status": "no such status"}], ("accepted", "")),
        ([{"status": "accepted", "message_id": "other"}], ("accepted", "")),
    ],
)
@pytest.mark.parametrize("is_last", [False, True])
def test_a2_what_was_accepted_once_is_accepted_whatever_else_is_said(others, outcome, is_last):
    said = [{"id": "m1", **item} for item in others]
    results = [*said, *ALL] if is_last else [*ALL, *said]
    assert answered({"results": results}) == [outcome, *TAKEN[1:]]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["retry", "rejected"], ("unknown", "contradiction")),
        (["rejected", "perhaps"], ("unknown", "contradiction")),
        (["perhaps", "rejected"], ("unknown", "no_result")),
        (["rejected", "rejected"], ("rejected", "")),
    ],
)
def test_a2_other_contradictions_are_uncertain(items, expected):
    results = [*({"id": "m1", "status": status} for status in items), *ALL[1:]]
    assert answered({"results": results}) == [expected, *TAKEN[1:]]


@pytest.mark.parametrize(
    "code", ["http_429", "rate_limited", "isv.BUSINESS_LIMIT_CONTROL", "Throttling.User"]
)
@pytest.mark.parametrize("status", ["rejected", "retry"])
def test_a3_a_busy_code_is_not_taken_whatever_the_status_says(code, status):
    results = [{"id": "m1", "status": status, "code": code}, *ALL[1:]]
    assert answered({"results": results}) == [("not_taken", code), *TAKEN[1:]]


@pytest.mark.parametrize("status", [503, 408])
@pytest.mark.parametrize(
    ("content", "changes"),
    [
        (b"<html>", {"retry_after": "7"}),
        (b'{"error": "maintenance"}', {}),
        (b"<html>", {"knows_keys": True}),
    ],
)
def test_a2_only_who_can_know_says_that_nothing_was_taken(status, content, changes):
    with pytest.raises(ChannelUnavailable):
        answered(content, status=status, **changes)
    assert answered(b"<html>", status=status) == [("unknown", f"http_{status}")] * 3


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "", "identity"])
def test_a2_a_packed_answer_is_unpacked(encoding):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding.lower(), bytes)
    assert http_items.unpacked(pack(b"{}"), encoding) == b"{}"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b"{}")[:-9], "gzip"),
        (gzip.compress(b" " * (http_items.MOST_BYTES + 1)), "gzip"),
        (b"{}", "br"),
    ],
    ids=["not packed", "cut", "too long", "another way"],
)
def test_a2_what_cannot_be_unpacked_within_bounds_is_no_answer(content, encoding):
    assert answered(http_items.unpacked(content, encoding))[0] == ("unknown", "answer_unreadable")


def test_a3_an_odd_item_costs_no_other_what_the_gateway_knows_of_it():
    body = {"results": [None, {"id": 1}, {"id": "a", "status": "taken", "code": None}]}
    assert read_fates(["a", "b"], json.dumps(body).encode()) == {"a": Asked.TAKEN}
