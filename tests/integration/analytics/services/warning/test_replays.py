"""Replays: planted defaults are foreseen, and nothing later than the day is used."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from analytics.domain.warning.backtest import BacktestChoices
from analytics.models import RiskAlert, WarningBacktest
from analytics.services.warning import replays, rules
from loancrm.kernel.roles import ensure_roles
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend, repay

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
START = date(2025, 6, 1)
DUE = tuple(START + timedelta(days=30 * n) for n in range(1, 7))
CHOICES = BacktestChoices(
    first=date(2025, 7, 1), until=date(2026, 2, 28), step_days=10, horizon_days=120, default_days=60
)


@pytest.fixture
def book(db):
    """Ten who pay on the day, four who stop after the second instalment, one who pays late."""
    rules.ensure_rules()
    people = make_people(15, kinds=(), consents=())
    for number, person in enumerate(people):
        loan = lend(person, disbursed_on=START, due=DUE)
        for place, day in enumerate(DUE):
            if number < 10 or (number < 14 and place < 2):
                repay(loan, day)
            elif number == 14:
                repay(loan, day + timedelta(days=12))
    return people


def start(actor, now, choices=CHOICES):
    row = replays.start_replay(actor=actor, choices=choices, now=now)
    replays.run(work_id=row.work_id, now=now)
    row.refresh_from_db()
    return row


def test_h12_planted_defaults_are_foreseen(book, actor, now):
    row = start(actor, now)
    assert row.work.state == "done"
    assert row.result["defaults"] == 4
    found = {rule["signal"]: rule for rule in row.result["rules"]}
    worth = found["bucket_up"]
    assert (worth["recall"]["successes"], worth["recall"]["trials"]) == (4, 4)
    assert (worth["precision"]["successes"], worth["precision"]["trials"]) == (4, 5)
    assert 0 < worth["median_lead_days"] <= 60
    assert found["all"]["recall"]["rate"] == 1.0
    assert not RiskAlert.objects.exists()


def test_a_worker_that_dies_at_the_end_leaves_nothing_and_the_next_one_does_it(
    book, actor, now, monkeypatch
):
    def gone(_record):
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(replays, "_to_json", gone)
        row = start(actor, now)
    assert (row.work.state, row.result) == ("waiting", {})
    replays.run(work_id=row.work_id, now=now)
    row = WarningBacktest.objects.select_related("work").get()
    assert (row.work.state, row.result["defaults"]) == ("done", 4)


def test_what_comes_after_the_last_day_changes_nothing(book, actor, now):
    before = start(actor, now).result
    for person in book[10:14]:
        repay(person.loans.get(), date(2026, 3, 2), 400)
    assert start(actor, now).result == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"until": date(2025, 6, 1)}, "until"),
        ({"until": date(2026, 3, 9)}, "until"),
        ({"first": date(2010, 1, 1), "step_days": 1}, "step_days"),
    ],
)
def test_what_cannot_be_replayed_is_refused(book, actor, now, changes, field):
    choices = BacktestChoices(
        **{**CHOICES.to_json(), "first": CHOICES.first, "until": CHOICES.until, **changes}
    )
    with pytest.raises(replays.ReplayRefused) as error:
        replays.start_replay(actor=actor, choices=choices, now=now)
    assert error.value.facts["field"] == field
    assert not WarningBacktest.objects.exists()


def test_a_replay_is_started_and_read_on_its_page(book, actor, now):
    ensure_roles()
    user = User.objects.create_user("analyst-1", is_staff=True)
    user.groups.add(Group.objects.get(name="analyst"))
    client = Client()
    client.force_login(user)
    headers = {"Accept-Language": "zh-hans"}
    page = client.get(reverse("warning:replays"), headers=headers)
    assert "尚无回放" in page.content.decode()
    given = CHOICES.to_json()
    answer = client.post(reverse("warning:replays"), given)
    row = WarningBacktest.objects.get()
    assert answer.url == reverse("warning:replay", args=[row.pk])
    assert client.get(answer.url, headers=headers)["Refresh"]
    replays.run(work_id=row.work_id, now=now)
    text = client.get(answer.url, headers=headers).content.decode()
    assert "逾期加重" in text
    assert "4 / 5" in text
    assert "bucket_up" not in text
