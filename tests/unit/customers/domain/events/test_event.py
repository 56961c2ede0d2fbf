from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.domain.events.event import EventError, parse_event

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROW = {"external_id": "B1", "event": "app_login", "occurred_at": "2026-05-01T08:00:00+08:00"}


def _parse(**changes):
    return parse_event({**ROW, **changes}, source="s", now=NOW, zone=ZONE)


def test_a_row_becomes_an_event_in_utc():
    event = _parse(event_id="e1", amount="12.5", channel="app", subject="home")

    assert event.occurred_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert (event.source, event.external_id, event.name) == ("s", "B1", "app_login")
    assert (event.dedup_key, event.amount) == ("e1", Decimal("12.50"))
    assert (event.channel, event.subject) == ("app", "home")


def test_a_time_without_offset_is_in_the_given_zone():
    assert _parse(occurred_at="2026-05-01 08:00").occurred_at == datetime(2026, 5, 1, tzinfo=UTC)


def test_without_an_id_the_same_event_has_the_same_key():
    assert _parse().dedup_key == _parse(occurred_at="2026-05-01T00:00:00+00:00").dedup_key
    assert _parse().dedup_key != _parse(amount="1").dedup_key
    assert _parse().dedup_key != _parse(external_id="B2").dedup_key


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"external_id": " "}, "person_missing"),
        ({"event": None}, "event_missing"),
        ({"event": "drop table"}, "event_name_invalid"),
        ({"event": "x" * 61}, "event_name_invalid"),
        ({"occurred_at": ""}, "time_missing"),
        ({"occurred_at": "yesterday"}, "time_invalid"),
        ({"occurred_at": "2026-02-30T00:00:00"}, "time_invalid"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "time_invalid"),
        ({"occurred_at": "2026-06-01T00:06:00+00:00"}, "time_in_future"),
        ({"amount": "ten"}, "amount_invalid"),
        ({"amount": "NaN"}, "amount_invalid"),
        ({"amount": "1e13"}, "amount_invalid"),
        ({"properties": "{"}, "properties_invalid"),
        ({"properties": "[1]"}, "properties_invalid"),
    ],
)
def test_a_wrong_row_is_refused_with_its_problem(changes, problem):
    with pytest.raises(EventError) as caught:
        _parse(**changes)

    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("changes", "subject", "amount"),
    [
        ({"subject": "nps", "amount": "9"}, "nps", 9),
        ({"subject": "CSAT", "amount": "5.00"}, "csat", 5),
        ({"properties": {"kind": "nps", "score": 0}}, "nps", 0),
        ({"properties": '{"kind": "csat", "score": "4"}'}, "csat", 4),
    ],
)
def test_s21_an_answer_stands_where_rules_read_it(changes, subject, amount):
    found = _parse(event="survey_answered", **changes)
    assert (found.subject, found.amount) == (subject, amount)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"subject": "nps"},
        {"subject": "nps", "amount": "11"},
        {"subject": "nps", "amount": "-1"},
        {"subject": "csat", "amount": "0"},
        {"subject": "csat", "amount": "4.5"},
        {"subject": "mood", "amount": "3"},
    ],
)
def test_s21_an_answer_to_no_question_is_refused(changes):
    with pytest.raises(EventError) as caught:
        _parse(event="survey_answered", **changes)
    assert caught.value.problem == "survey_invalid"


def test_properties_come_as_object_or_text():
    assert _parse(properties={"a": 1}).properties == {"a": 1}
    assert _parse(properties='{"a": 1}').properties == {"a": 1}


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*ROW, "amount", "properties"]), st.text(max_size=30)))
def test_any_text_is_taken_or_refused_and_never_breaks(row):
    with suppress(EventError):
        assert parse_event(row, source="s", now=NOW, zone=ZONE).occurred_at.tzinfo is UTC
