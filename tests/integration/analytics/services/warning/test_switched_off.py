"""A rule that is switched off: its alerts end at once, and only its own bars go with them."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from analytics.models import RiskAlert, RiskCase, WarningRule
from analytics.services.warning import alerts, groups, rules, watching
from customers.models import Customer
from loancrm.kernel.access import system_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
SYSTEM = system_actor("job:test")


@pytest.fixture(autouse=True)
def _rules(db):
    rules.ensure_rules()


@pytest.fixture
def late(now):
    people = make_people(3, prefix="late")
    for person in people:
        lend(person)
    ids = [person.pk for person in people]
    watching.watch_people(actor=SYSTEM, customer_ids=ids, now=now)
    return people


def switch(name, now, *, on=False):
    rule = WarningRule.objects.get(name=name)
    return rules.change_rule(actor=SYSTEM, rule=rule, changes={"is_active": on}, now=now)


def statuses(people):
    rows = Customer.objects.filter(pk__in=[person.pk for person in people])
    return set(rows.values_list("marketing_status", flat=True))


def test_open_alerts_end_at_once_with_the_reason_and_untouched_cases_with_them(late, now):
    later = now + timedelta(hours=1)
    taken = RiskCase.objects.filter(alert__rule__name="bucket-up").first()
    RiskCase.objects.filter(pk=taken.pk).update(state="taken")

    switch("bucket-up", later)

    ended = RiskAlert.objects.filter(rule__name="bucket-up")
    assert set(ended.values_list("ended_at", "end_reason")) == {(later, "rule_off")}
    closed = RiskCase.objects.filter(alert__rule__name="bucket-up", state="closed")
    assert set(closed.values_list("outcome", flat=True)) == {"rule_off"}
    assert closed.count() == 2
    taken.refresh_from_db()
    assert (taken.state, taken.outcome) == ("taken", "")
    facts = AuditEntry.objects.get(action="risk_alerts.rule_off").facts
    assert (facts["ended"], facts["freed"]) == (3, 0)


def test_a_bar_is_lifted_only_where_no_other_alert_bars(late, now):
    later = now + timedelta(hours=1)
    switch("bucket-up", later)
    assert statuses(late) == {"at_risk"}
    switch("first-payment-missed", later)
    assert statuses(late) == {"open"}


def test_alerts_about_groups_end_too(now):
    rule = WarningRule.objects.get(name="segment-arrears")
    about = {"rule": rule, "group": "vip", "severity": "high", "opened_at": now, "seen_at": now}
    RiskAlert.objects.create(**about)
    switch("segment-arrears", now)
    assert RiskAlert.objects.get().end_reason == "rule_off"

    left = RiskAlert.objects.create(**about)
    RiskCase.objects.create(alert=left, state="open", action="watch", due_at=now)
    groups.watch_groups(actor=SYSTEM, holder="w1", now=now)
    left.refresh_from_db()
    assert left.end_reason == "rule_off"


def test_what_a_dead_worker_left_open_ends_with_the_next_look(late, now):
    WarningRule.objects.filter(name="bucket-up").update(is_active=False)
    ids = [person.pk for person in late]
    done = watching.watch_people(actor=SYSTEM, customer_ids=ids, now=now + timedelta(hours=1))
    assert done.ended == 3
    assert not RiskAlert.objects.filter(rule__name="bucket-up", ended_at=None).exists()


def test_switched_on_again_it_speaks_at_once_because_nothing_got_better(late, now):
    switch("bucket-up", now)
    switch("bucket-up", now, on=True)
    ids = [person.pk for person in late]
    assert watching.watch_people(actor=SYSTEM, customer_ids=ids, now=now).opened == 3


def test_switched_off_twice_there_is_one_entry(late, now):
    switch("bucket-up", now)
    before = AuditEntry.objects.count()
    switch("bucket-up", now)
    assert AuditEntry.objects.count() == before


def test_a_rule_that_went_off_while_its_alert_was_written_begins_none(now):
    """The alert is written; the rule is off before its case is."""
    (person,) = make_people(1)
    rule = WarningRule.objects.get(name="bucket-up")
    RiskAlert.objects.create(
        rule=rule, customer=person, severity="high", opened_at=now, seen_at=now
    )
    terms = watching.active_rules(frozenset({rule.signal}))
    WarningRule.objects.filter(pk=rule.pk).update(is_active=False)
    with transaction.atomic():
        fresh = RiskAlert.objects.filter(ended_at=None, case=None)
        known = {row.pk: (row, each) for row, each in terms}
        assert alerts.write_cases(fresh, rules=known, now=now) == 0
    assert not RiskAlert.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite writes one after the other")
def test_whoever_switches_off_waits_for_the_alerts_that_are_being_written(now):
    people = make_people(2)
    for person in people:
        lend(person)
    written, go_on = threading.Event(), threading.Event()

    def look():
        try:
            with transaction.atomic():
                ids = [person.pk for person in people]
                watching.watch_people(actor=SYSTEM, customer_ids=ids, now=now)
                written.set()
                go_on.wait(10)
        finally:
            connection.close()

    def turn_off():
        try:
            switch("bucket-up", now)
        finally:
            connection.close()

    watcher = threading.Thread(target=look)
    watcher.start()
    assert written.wait(20)
    switcher = threading.Thread(target=turn_off)
    switcher.start()
    switcher.join(1)
    assert switcher.is_alive()
    go_on.set()
    for thread in (watcher, switcher):
        thread.join(20)
    assert not RiskAlert.objects.filter(rule__name="bucket-up", ended_at=None).exists()
    assert RiskAlert.objects.filter(rule__name="first-payment-missed", ended_at=None).count() == 2
