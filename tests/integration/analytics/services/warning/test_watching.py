"""Alerts begin and end with what signals find, and stop marketing while they are open."""

from datetime import date, timedelta

import pytest

from analytics.models import RiskAlert, RiskCase, WarningRule
from analytics.services.warning import cases, rules, watching
from campaigns.channels import registry
from campaigns.services.campaigns import ticking
from customers.models import Customer
from customers.services.identity import merging
from loancrm.kernel.access import Actor, ActorKind, PermissionRefused, system_actor
from loancrm.kernel.database import leases
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend, repay
from tests.integration.campaigns.services.sending.between import meanwhile
from tests.integration.campaigns.services.sending.test_changed_meanwhile import drain

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
SYSTEM = system_actor("job:test")


@pytest.fixture(autouse=True)
def _rules(db):
    rules.ensure_rules()
    yield
    registry.close_all()


@pytest.fixture
def late(now):
    """Somebody who has not paid the first instalment, due twelve days ago."""
    (person,) = make_people(1, prefix="late")
    lend(person)
    return person


def watch(*people, now):
    return watching.watch_people(actor=SYSTEM, customer_ids=[p.pk for p in people], now=now)


def alerts(person, **where):
    rows = RiskAlert.objects.filter(customer=person, **where).select_related("rule")
    return {alert.rule.name for alert in rows}


def status(person):
    return Customer.objects.get(pk=person.pk).marketing_status


def test_h12_an_episode_is_one_alert_and_one_case_however_often_it_is_seen(late, now):
    first = watch(late, now=now)
    assert first.opened == 2
    assert alerts(late) == {"first-payment-missed", "bucket-up"}
    for hours in range(1, 4):
        again = watch(late, now=now + timedelta(hours=hours))
        assert (again.opened, again.ended) == (0, 0)
    case = RiskCase.objects.get(alert__rule__name="first-payment-missed")
    assert (case.state, case.action) == ("open", "remind")
    assert case.due_at == now + timedelta(hours=24)
    assert case.alert.seen_at == now + timedelta(hours=3)
    assert RiskCase.objects.count() == RiskAlert.objects.count() == 2
    assert AuditEntry.objects.filter(action="risk_alerts.watch").count() == 1


def test_h12_an_alert_ends_with_its_cause_and_its_untouched_case_with_it(late, now):
    watch(late, now=now)
    taken = RiskCase.objects.get(alert__rule__name="bucket-up")
    RiskCase.objects.filter(pk=taken.pk).update(state="taken")
    repay(late.loans.get(), now.date())
    ended = watch(late, now=now + timedelta(hours=1))
    assert (ended.ended, alerts(late, ended_at=None)) == (2, set())
    untouched = RiskCase.objects.get(alert__rule__name="first-payment-missed")
    assert (untouched.state, untouched.outcome) == ("closed", "ended")
    taken.refresh_from_db()
    assert (taken.state, taken.outcome) == ("taken", "")


def test_an_alert_comes_again_after_its_cool_down_at_the_earliest(late, now):
    WarningRule.objects.exclude(name="first-payment-missed").update(is_active=False)
    payment = repay(late.loans.get(), now.date())
    payment.delete()
    watch(late, now=now)
    payment = repay(late.loans.get(), now.date())
    watch(late, now=now + timedelta(days=1))
    payment.delete()
    assert watch(late, now=now + timedelta(days=30)).opened == 0
    assert watch(late, now=now + timedelta(days=31)).opened == 1
    assert RiskAlert.objects.count() == 2


def test_s45_a_grave_alert_bars_marketing_until_it_ends(late, now):
    assert watch(late, now=now).barred == 1
    assert status(late) == "at_risk"
    repay(late.loans.get(), now.date())
    assert watch(late, now=now + timedelta(hours=1)).freed == 1
    assert status(late) == "open"


@pytest.mark.parametrize("other", ["dispute", "hardship", "self_excluded", "deceased"])
def test_another_reason_is_neither_replaced_nor_lifted(late, now, other):
    Customer.objects.filter(pk=late.pk).update(marketing_status=other)
    watch(late, now=now)
    assert status(late) == other
    repay(late.loans.get(), now.date())
    watch(late, now=now + timedelta(hours=1))
    assert status(late) == other


def test_a_light_alert_leaves_marketing_alone(late, now):
    WarningRule.objects.update(severity="low", action="watch")
    assert (watch(late, now=now).barred, status(late)) == (0, "open")


def test_s45_a_running_campaign_skips_the_person_and_nobody_else(actor, now):
    make_channel(options={"supports_idempotency": False})
    people = make_people(6)
    lend(people[2])
    run = make_launched(actor, now)
    watch(*people, now=now)
    drain(now)
    message = run.messages.get(customer=people[2])
    assert (message.state, message.reason) == ("skipped", "hardship")
    assert run.messages.filter(state="sent").count() == 5


def test_s45_an_alert_between_decision_and_mark_stops_the_message(actor, now, monkeypatch):
    make_channel(options={"supports_idempotency": False})
    people = make_people(6)
    lend(people[2])
    run = make_launched(actor, now)
    meanwhile(monkeypatch, people[2], lambda: watch(people[2], now=now))
    drain(now)
    assert run.messages.get(customer=people[2]).state == "skipped"
    assert run.messages.filter(state="sent").count() == 5


def test_s44_what_comes_in_is_looked_at_within_seconds(late, now):
    def follow(at):
        return watching.follow(actor=SYSTEM, holder="w1", read_clock=lambda: at)

    follow(now)
    (other,) = make_people(1, prefix="new")
    lend(other)
    found = follow(now + timedelta(seconds=5))
    assert found.opened == 2
    assert alerts(other) == {"first-payment-missed", "bucket-up"}
    assert alerts(late) == set()
    repay(other.loans.get(), now.date())
    assert follow(now + timedelta(seconds=10)).ended == 2


def test_time_alone_makes_signals_speak(now):
    people = make_people(3)
    for person in people[:2]:
        lend(person)
    repay(people[1].loans.get(), date(2026, 2, 20))
    done = watching.sweep(actor=SYSTEM, holder="w1", read_clock=lambda: now)
    assert (done.people, done.opened) == (2, 2)
    assert alerts(people[1]) == set()


def test_one_worker_sweeps_at_a_time(late, now):
    leases.claim(name="early warning sweep", holder="other", seconds=60)
    assert watching.sweep(actor=SYSTEM, holder="w1", read_clock=lambda: now).people == 0
    assert not RiskAlert.objects.exists()


@pytest.mark.parametrize("count", [2, 30])
def test_the_number_of_queries_depends_on_nothing(now, count, django_assert_max_num_queries):
    people = make_people(count)
    for person in people:
        lend(person)
    with django_assert_max_num_queries(33):
        assert watch(*people, now=now).opened == 2 * count


def test_a_rule_that_is_off_opens_nothing(late, now):
    WarningRule.objects.update(is_active=False)
    assert watch(late, now=now).opened == 0


def test_alerts_follow_a_merge(actor, now):
    kept, other = make_people(2)
    lend(other)
    watch(other, now=now)
    merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    assert len(alerts(kept, ended_at=None)) == 2
    assert status(kept) == "at_risk"


def test_s43_a_case_is_taken_and_closed_with_what_was_done(late, now, actor, django_user_model):
    watch(late, now=now)
    case = RiskCase.objects.first()
    user = django_user_model.objects.create_user("risk")
    taken = cases.take_case(actor=actor, case=case, user=user, now=now)
    assert (taken.owner, taken.state, taken.taken_at) == (user, "taken", now)
    for outcome, note, field in (
        ("", "x", "outcome"),
        ("ended", "x", "outcome"),
        ("acted", " ", "note"),
    ):
        with pytest.raises(cases.RiskCaseRefused) as error:
            cases.close_case(actor=actor, case=case, outcome=outcome, note=note, now=now)
        assert error.value.facts["field"] == field
    cases.close_case(
        actor=actor, case=case, outcome="acted", note="Called; pays on Friday.", now=now
    )
    with pytest.raises(cases.RiskCaseClosed):
        cases.take_case(actor=actor, case=case, user=user, now=now)
    entry = AuditEntry.objects.get(action="risk_case.close")
    assert entry.reason == "Called; pays on Friday."


def test_nobody_without_the_permission_raises_alerts_or_works_on_cases(late, now):
    nobody = Actor(kind=ActorKind.USER, id="0", label="nobody")
    with pytest.raises(PermissionRefused):
        watching.watch_people(actor=nobody, customer_ids=[late.pk], now=now)
    watch(late, now=now)
    with pytest.raises(PermissionRefused):
        cases.close_case(
            actor=nobody, case=RiskCase.objects.first(), outcome="acted", note="x", now=now
        )


def test_rules_are_changed_within_reason_and_kept_by_the_next_start(actor, now):
    rule = WarningRule.objects.get(name="utilisation-high")
    rules.change_rule(actor=actor, rule=rule, changes={"level": "0.8", "days": 4}, now=now)
    rules.ensure_rules()
    rule.refresh_from_db()
    assert (float(rule.level), rule.days) == (0.8, 4)
    for changes, field in (({"level": "1.5"}, "level"), ({"window_days": -1}, "window_days")):
        with pytest.raises(rules.WarningRuleRefused) as error:
            rules.change_rule(actor=actor, rule=rule, changes=changes, now=now)
        assert error.value.facts["field"] == field


def test_the_tick_and_the_watch_do_not_wait_for_each_other(late, actor, now):
    make_channel()
    make_launched(actor, now)
    ticking.advance(now=now)
    assert watch(late, now=now).opened == 2
