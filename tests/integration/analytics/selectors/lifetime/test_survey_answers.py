"""Answers of the event log: one voice a person, in the period asked for."""

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.selectors.lifetime.survey_answers import answers
from customers.domain.events.event import parse_event
from customers.domain.events.survey import SurveyKind
from customers.services.events import log
from loancrm.kernel import clock
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _answer(person, kind, score, at, now):
    row = {
        "external_id": person.external_id,
        "event": "survey_answered",
        "occurred_at": at.isoformat(),
        "subject": kind,
        "amount": str(score),
    }
    event = parse_event(row, source="survey", now=now, zone=clock.company_zone())
    log.append_events(events=[replace(event, customer_id=person.pk)], now=now)


@pytest.fixture
def asked(now):
    people = make_people(4)
    for person, score, days in (
        (people[0], 2, 30),
        (people[0], 10, 5),
        (people[1], 6, 10),
        (people[2], 9, 1),
        (people[3], 0, 100),
    ):
        _answer(person, "nps", score, now - timedelta(days=days), now)
    _answer(people[0], "csat", 4, now - timedelta(days=2), now)
    return people


def test_s21_the_last_answer_of_each_person_counts(asked, now):
    since = now - timedelta(days=90)
    with CaptureQueriesContext(connection) as queries:
        assert answers(SurveyKind.NPS, since=since, until=now) == {10: 1, 6: 1, 9: 1}
    assert len(queries) == 1
    assert answers(SurveyKind.CSAT, since=since, until=now) == {4: 1}
    # What came later is not seen from an earlier day.
    early = now - timedelta(days=7)
    assert answers(SurveyKind.NPS, since=since, until=early) == {2: 1, 6: 1}


def test_s21_the_command_prints_both_with_intervals(asked, now, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: now)
    out = io.StringIO()
    call_command("satisfaction", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert found["nps"]["value"] == pytest.approx(100 / 3)
    assert found["nps"]["low"] < 100 / 3 < found["nps"]["high"]
    assert (found["csat"]["successes"], found["csat"]["trials"]) == (1, 1)
