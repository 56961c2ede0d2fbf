"""Alerts about partners and segments."""

from datetime import date, timedelta

import pytest

from analytics.models import RiskAlert, RiskCase
from analytics.services.warning import groups, rules
from customers.models import DataSource, Loan, Score, Segment, SegmentMember
from loancrm.kernel.access import system_actor
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend, repay

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
SYSTEM = system_actor("job:test")
DUE = (date(2026, 1, 5), date(2026, 6, 5))
PAID_OUT = date(2025, 12, 5)


@pytest.fixture(autouse=True)
def _rules(db):
    rules.ensure_rules()


def watch(now):
    return groups.watch_groups(actor=SYSTEM, holder="w1", now=now)


def found():
    rows = RiskAlert.objects.filter(ended_at=None, customer=None).select_related("rule")
    return {(alert.rule.name, alert.group) for alert in rows}


def partner(name, now, *, count, missed):
    DataSource.objects.create(name=name, kind="partner", created_at=now)
    people = make_people(count, prefix=name[-1] * 4, source=name, kinds=(), consents=())
    loans = [lend(person, disbursed_on=PAID_OUT, due=DUE) for person in people]
    for loan in loans[missed:]:
        repay(loan, DUE[0])
    return loans


def segment(slug, people, now):
    made = Segment.objects.create(slug=slug, name=slug, created_at=now)
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=made, customer=person, entered_at=now) for person in people
    )
    return made


def test_h12_a_partner_whose_first_payments_fail_beyond_chance_is_raised_once(now):
    bad = partner("partner:a", now, count=60, missed=8)
    partner("partner:b", now, count=60, missed=3)
    assert watch(now).opened == 1
    assert found() == {("partner-first-payment-default", "partner:a")}
    alert = RiskAlert.objects.get()
    assert alert.facts == {"bad": 8, "total": 60, "expected": "0.03"}
    assert RiskCase.objects.get().alert == alert
    assert watch(now + timedelta(hours=1)).opened == 0
    for loan in bad[:8]:
        repay(loan, DUE[0])
    assert watch(now + timedelta(hours=2)).ended == 1


def test_a_payment_that_came_too_late_is_a_first_payment_missed(now):
    loans = partner("partner:a", now, count=60, missed=8)
    for loan in loans[:8]:
        repay(loan, DUE[0] + timedelta(days=31))
    assert watch(now).opened == 1


def test_a_segment_whose_loans_fall_behind_is_told_from_the_book(now):
    people = make_people(300, kinds=(), consents=())
    for number, person in enumerate(people):
        lend(person)
        late = number < 12 or 60 <= number < 65
        Loan.objects.filter(customer=person).update(status="active", dpd_days=40 if late else 0)
    segment("bad", people[:60], now)
    segment("good", people[60:], now)
    segment("small", people[:10], now)
    watch(now)
    assert found() == {("segment-arrears", "bad")}


def test_a_segment_whose_scores_move_is_drifting(now):
    people = make_people(500, kinds=(), consents=())
    segment("all", people, now)
    then = now - timedelta(days=60)
    for at, cut in ((then, 250), (now, 450)):
        Score.objects.update(is_latest=False)
        Score.objects.bulk_create(
            Score(
                customer=person,
                model_name="pd",
                version="1",
                value=0,
                band="A" if number < cut else "B",
                scored_at=at,
            )
            for number, person in enumerate(people)
        )
        if at == then:
            watch(now)
            assert found() == set()
    watch(now)
    assert found() == {("segment-drift", "all")}
