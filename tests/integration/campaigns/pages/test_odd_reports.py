"""Webhooks take what can be read and say of the rest why not; no body is refused for one report."""

import json
import time
from datetime import UTC, datetime

import pytest

from campaigns.channels import registry, signatures
from campaigns.models import Receipt, Suppression
from tests.factories.sent import SECRET, make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def _post(client, channel, body):
    signed_at = datetime.fromtimestamp(time.time(), tz=UTC)
    headers = signatures.sign(secret=SECRET, message_id="m1", at=signed_at, body=body)
    return client.post(
        f"/hooks/{channel.slug}/",
        body,
        content_type="application/json",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    )


def _report(message, **changes):
    return {
        "id": "e1",
        "kind": "delivered",
        "key": f"m{message.pk}",
        "occurred_at": "2026-03-04T10:00:00+08:00",
        **changes,
    }


ODD = {
    "id of 128": {"id": "x" * 128},
    "id of 5000": {"id": "x" * 5000},
    "nul in id": {"id": "a\x00b"},
    "nul everywhere": {"message_id": "\x00", "detail": "a\x00b", "text": "\x00", "address": "\x00"},
    "lone surrogate in id": {"id": "a\ud800"},
    "lone surrogate in detail": {"detail": "\udfff"},
    "no id": {"id": ""},
    "number as id": {"id": 10**40},
    "null as id": {"id": None},
    "year 1": {"occurred_at": "0001-01-01T00:00:00+08:00"},
    "year 9999": {"occurred_at": "9999-12-31T23:59:59-12:00"},
    "year 292277026596": {"occurred_at": "292277026596-12-04T15:30:08Z"},
    "no zone": {"occurred_at": "2026-03-04 10:00:00"},
    "no time": {"occurred_at": None},
    "seconds": {"occurred_at": 1772589600},
    "long message id": {"message_id": "y" * 4000},
    "long key": {"key": "m" + "1" * 500},
    "nul in key": {"key": "a\x00b"},
    "nul in a key of ours": {"key": "m1\x002"},
    "lone surrogate in key": {"key": "\ud800"},
    "line break in key": {"key": "m1\n.a"},
    "key in a mail's form with a long host": {"key": f"<m1@{'h' * 200}>"},
    "nul in the host of a key": {"key": "<m1@\x00>"},
    "everything a lone surrogate": dict.fromkeys(
        ("id", "key", "message_id", "detail", "text", "address", "occurred_at"), "\ud800"
    ),
    "number too big for a key": {"key": "m999999999999999999"},
    "long detail": {"detail": "z" * 100_000},
    "unknown field": {"extra": {"deep": [1, 2, 3]}},
}
UNREADABLE = {
    "kind of tomorrow": {"kind": "teleported"},
    "kind missing": {"kind": None},
    "kind of ours": {"kind": "unreadable"},
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_b6_an_odd_report_is_taken_and_takes_no_other_along(client, actor, now, name):
    channel, (odd, good) = make_sent(actor, now, count=2)
    reports = [_report(odd, **ODD[name]), _report(good, id="good")]
    answer = _post(client, channel, json.dumps({"events": reports}).encode())
    assert answer.status_code == 200
    assert sum(answer.json().values()) == 2
    good.refresh_from_db()
    assert good.state == "delivered"
    again = _post(client, channel, json.dumps({"events": reports}).encode())
    assert again.json() == {"applied": 0, "repeated": 2, "unknown": 0}


@pytest.mark.parametrize("kind", ["replied", "complained"])
@pytest.mark.parametrize("name", sorted(ODD))
def test_b6_an_odd_word_of_a_person_is_taken_and_takes_no_other_along(
    client, actor, now, name, kind
):
    channel, (odd, good) = make_sent(actor, now, count=2, kind="sms")
    words = {"kind": kind, "text": "TD", "address": "13800138000"}
    reports = [_report(odd, **words | ODD[name]), _report(good, id="good")]
    answer = _post(client, channel, json.dumps({"events": reports}).encode())
    assert answer.status_code == 200
    good.refresh_from_db()
    assert good.state == "delivered"


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_b6_a_report_nobody_can_read_is_set_aside_with_its_reason(client, actor, now, name):
    channel, (odd, good) = make_sent(actor, now, count=2)
    reports = [_report(odd, **UNREADABLE[name]), _report(good, id="good"), 7]
    answer = _post(client, channel, json.dumps({"events": reports}).encode()).json()
    assert (answer["applied"], answer["unknown"]) == (1, 0)
    assert [item["reason"] for item in answer["set_aside"]] == [
        "kind_unknown",
        "report_unreadable",
    ]
    kept = Receipt.objects.filter(is_applied=False).order_by("pk")
    assert [row.problem for row in kept] == ["kind_unknown", "report_unreadable"]
    odd.refresh_from_db()
    assert odd.state == "sent"


def test_b6_two_long_ids_that_differ_at_the_end_are_two_reports(client, actor, now):
    channel, (first, second) = make_sent(actor, now, count=2)
    reports = [_report(first, id="x" * 200 + "1"), _report(second, id="x" * 200 + "2")]
    answer = _post(client, channel, json.dumps({"events": reports}).encode())
    assert answer.json()["applied"] == 2


def test_b6_a_refusal_with_an_impossible_time_still_counts(client, actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    report = _report(message, kind="replied", text="TD", occurred_at="0001-01-01T00:00:00+14:00")
    _post(client, channel, json.dumps({"events": [report]}).encode())
    assert Suppression.objects.get().customer_id == message.customer_id


def test_b6_more_reports_than_a_batch_are_all_taken(client, actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    reports = [_report(message, id=f"e{number}", key="") for number in range(1_500)]
    answer = _post(client, channel, json.dumps({"events": reports}).encode())
    assert answer.json()["unknown"] == 1_500


@pytest.mark.parametrize("body", [b"\x00", b"[" * 100_000, b'{"events": "x"}', b"\xff", b"null"])
def test_b6_a_body_that_is_no_list_of_reports_is_refused(client, actor, now, body):
    channel, _messages = make_sent(actor, now, count=1)
    assert _post(client, channel, body).status_code == 401
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_d_a_web_host_whose_clock_is_an_hour_off_hears_every_report(
    client, actor, now, monkeypatch, seconds
):
    channel, (message, *_rest) = make_sent(actor, now, count=1)
    body = json.dumps({"events": [_report(message, kind="complained")]}).encode()
    right = time.time
    real = signatures.sign

    def signed_by_the_provider(**arguments):
        return real(**{**arguments, "at": datetime.fromtimestamp(right(), tz=UTC)})

    monkeypatch.setattr(signatures, "sign", signed_by_the_provider)
    monkeypatch.setattr(time, "time", lambda: right() + seconds)
    assert _post(client, channel, body).status_code == 200
    assert Suppression.objects.exists()
