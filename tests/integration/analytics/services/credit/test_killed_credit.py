"""Decisions, policies and the book, killed after any commit and done again, are as of one run."""

from datetime import date

import pytest
from django.contrib.auth.models import Permission, User

from analytics.models import PolicyVersion
from analytics.services.credit import deciding, loan_book, policies
from loancrm.kernel.access import user_actor
from tests.factories.credit import put_in_force
from tests.factories.loans import make_loan, on
from tests.factories.people import make_people
from tests.golden.credit import POLICY
from tests.integration.analytics.services.credit.test_policies import (
    NOW,
    REASON,
    RIGHTS,
    apply,
    decide,
)
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]


def staff():
    found = []
    for name in ("ann", "bob"):
        user, _made = User.objects.get_or_create(username=name, defaults={"is_staff": True})
        user.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
        found.append(user_actor(user))
    return found


def test_applications_are_decided_once_whatever_died(monkeypatch):
    monkeypatch.setattr(deciding, "_BATCH", 2)

    def prepare():
        ann, bob = staff()
        row = policies.propose_policy(actor=ann, content=POLICY, reason=REASON, now=NOW)
        put_in_force(bob, row, NOW)
        for number, person in enumerate(make_people(5)):
            apply(person, f"A{number}", risk="0.01" if number % 2 else None)

    assert_kills_leave_no_trace(prepare, decide, commits=3)


def test_a_policy_is_proposed_and_put_in_force_once_whatever_died():
    def work():
        ann, bob = staff()
        row = policies.propose_policy(actor=ann, content=POLICY, reason=REASON, now=NOW)
        if row.state == "proposed":
            put_in_force(bob, row, NOW)

    def prepare():
        staff()

    assert_kills_leave_no_trace(prepare, lambda: again(work), commits=2)


def again(work):
    """Do it unless it is done: a version in force is proposed anew by nobody."""
    if not PolicyVersion.objects.filter(state="active").exists():
        work()


def test_the_book_is_the_same_whatever_died(monkeypatch, actor):
    monkeypatch.setattr(loan_book, "_BATCH", 2)

    def derive(as_of):
        loan_book.derive_loan_book(actor=actor, as_of=as_of, now=NOW)

    def prepare():
        (person,) = make_people(1)
        january = on("2026-01-10")
        for number in range(5):
            paid = [(on("2026-02-10"), 100)] if number % 2 else []
            make_loan(person, f"L{number}", january, paid=paid)
        derive(date(2026, 5, 15))

    assert_kills_leave_no_trace(prepare, lambda: derive(date(2026, 7, 15)), commits=4)
