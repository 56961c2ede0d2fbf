"""Early warning, killed after any commit and done again, ends as one clean run does."""

from datetime import date, timedelta

import pytest

from analytics.domain.warning.backtest import BacktestChoices
from analytics.models import RiskAlert, WarningBacktest, WarningRule
from analytics.services.warning import alerts, groups, replays, rules, watching
from customers.models import DataSource
from loancrm.kernel.access import system_actor
from loancrm.kernel.work import service
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend, repay
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
SYSTEM = system_actor("job:test")


def lent(count=5):
    rules.ensure_rules()
    people = make_people(count)
    return [lend(person) for person in people]


def test_a_sweep_leaves_the_alerts_cases_and_bars_of_one_run(now, monkeypatch):
    monkeypatch.setattr(watching, "_BATCH", 2)
    later = now + timedelta(hours=1)

    def prepare():
        loans = lent()
        sweep(now)
        # One has paid since, and somebody else has not.
        repay(loans[0], now.date())
        lend(make_people(1, prefix="new")[0])

    def sweep(at):
        watching.sweep(actor=SYSTEM, holder="w1", read_clock=lambda: at)

    assert_kills_leave_no_trace(prepare, lambda: sweep(later), commits=4)


def test_changes_are_followed_to_the_end_by_the_next(now, monkeypatch):
    monkeypatch.setattr(watching, "_BATCH", 2)

    def follow():
        watching.follow(actor=SYSTEM, holder="w1", read_clock=lambda: now)

    def prepare():
        rules.ensure_rules()
        follow()
        lent()

    assert_kills_leave_no_trace(prepare, follow, commits=4)


def test_groups_are_looked_at_as_in_one_run(now):
    def prepare():
        rules.ensure_rules()
        DataSource.objects.create(name="p1", kind="partner", created_at=now)
        for person in make_people(60, prefix="p", source="p1", kinds=(), consents=()):
            lend(person, disbursed_on=date(2025, 12, 5), due=(date(2026, 1, 5), date(2026, 6, 5)))

    def watch():
        groups.watch_groups(actor=SYSTEM, holder="w1", now=now)

    assert_kills_leave_no_trace(prepare, watch, commits=2)


def test_the_alerts_of_a_rule_that_is_switched_off_end_with_the_next_sweep(now, monkeypatch):
    monkeypatch.setattr(alerts, "_BATCH", 2)

    def prepare():
        lent()
        watching.sweep(actor=SYSTEM, holder="w1", read_clock=lambda: now)

    def work():
        rule = WarningRule.objects.get(name="bucket-up")
        rules.change_rule(actor=SYSTEM, rule=rule, changes={"is_active": False}, now=now)
        watching.sweep(actor=SYSTEM, holder="w1", read_clock=lambda: now)

    assert_kills_leave_no_trace(prepare, work, commits=5)
    assert not RiskAlert.objects.filter(rule__name="bucket-up", ended_at=None).exists()


def test_a_replay_finds_the_same_whatever_died(now, actor, monkeypatch):
    # No worker takes it before the test does.
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    choices = BacktestChoices(
        first=date(2026, 1, 20), until=date(2026, 3, 1), step_days=10, horizon_days=30,
        default_days=10,
    )  # fmt: skip

    def prepare():
        lent(3)
        replays.start_replay(actor=actor, choices=choices, now=now)

    def work():
        replays.run(work_id=WarningBacktest.objects.get().work_id, now=now)

    assert_kills_leave_no_trace(prepare, work, commits=2)
