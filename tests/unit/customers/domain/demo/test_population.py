from collections import Counter
from datetime import date, datetime, time
from statistics import mean

import pytest

from customers.domain.consents.consent import ConsentFact, Purpose, is_in_force, state_at
from customers.domain.demo.lending import PRODUCTS
from customers.domain.demo.people import ZONE, age_on
from customers.domain.demo.population import generate
from customers.domain.loans.loan import LoanStatus
from customers.domain.values.person import MarketingStatus

TODAY = date(2026, 1, 12)


@pytest.fixture(scope="module")
def stories():
    return list(generate(count=2_000, seed=7, today=TODAY))


def test_the_same_seed_gives_the_same_people_and_a_larger_population_begins_with_the_smaller():
    small = list(generate(count=30, seed=7, today=TODAY))
    large = list(generate(count=60, seed=7, today=TODAY))

    assert large[:30] == small


def test_another_seed_gives_other_people():
    one = [story.person.public_id for story in generate(count=5, seed=7, today=TODAY)]
    two = [story.person.public_id for story in generate(count=5, seed=8, today=TODAY)]

    assert not set(one) & set(two)


def test_nobody_shares_an_identity_number_a_phone_or_an_address(stories):
    for field in ("national_id", "phone", "email"):
        values = [value for story in stories if (value := getattr(story.person, field)) is not None]
        assert len(values) == len(set(values))


def test_nothing_happens_after_the_reference_day(stories):
    end = datetime.combine(TODAY, time.max, ZONE)

    for story in stories:
        assert all(event.occurred_at <= end for event in story.events)
        assert all(entry.at <= end for entry in story.consents)
        for loan in story.history.loans:
            assert all(payment.paid_date <= TODAY for payment in loan.payments)


def test_nobody_borrows_below_eighteen_though_some_leads_are_minors(stories):
    minors = [s for s in stories if age_on(s.person.birth_date, TODAY) < 18]

    assert minors
    for story in stories:
        for application in story.history.applications:
            assert age_on(story.person.birth_date, application.submitted_at.date()) >= 18
    assert not any(story.history.applications for story in minors)


def test_every_plan_repays_the_principal_within_the_products_limits(stories):
    limits = {product.code: product for product in PRODUCTS}
    loans = [loan for story in stories for loan in story.history.loans]

    assert len(loans) > 500
    for loan in loans:
        product = limits[loan.application.product.code]
        assert product.min_amount <= loan.application.amount <= product.max_amount
        repaid = sum(line.principal_amount for line in loan.schedule)
        assert repaid == loan.application.amount


def test_people_with_low_income_default_more_often(stories):
    def share_bad(chosen):
        loans = [loan for story in chosen for loan in story.history.loans]
        bad = [loan for loan in loans if loan.state.max_dpd_days > 90]
        return len(bad) / len(loans)

    income = mean(float(s.person.monthly_income_amount) for s in stories)
    poor = [s for s in stories if s.person.monthly_income_amount < income * 0.7]
    rich = [s for s in stories if s.person.monthly_income_amount > income * 1.3]

    assert share_bad(poor) > 1.4 * share_bad(rich)


def test_better_scores_go_with_fewer_bad_loans(stories):
    bad_by_band: dict[str, list[bool]] = {}
    for story in stories:
        if story.score and story.history.loans:
            is_bad = any(loan.state.max_dpd_days > 90 for loan in story.history.loans)
            bad_by_band.setdefault(story.score.band, []).append(is_bad)

    assert mean(bad_by_band["B"]) < mean(bad_by_band["D"])


def test_some_of_every_kind_of_consent_occur(stories):
    now = datetime.combine(TODAY, time.max, ZONE)
    kinds: Counter[str] = Counter()
    for story in stories:
        facts = [
            ConsentFact(entry.is_granted, entry.at, entry.expires_at)
            for entry in story.consents
            if entry.purpose is Purpose.MARKETING and entry.channel == "sms"
        ]
        state = state_at(facts, now=now)
        if state is None:
            kinds["missing"] += 1
        elif not state.is_granted:
            kinds["withdrawn"] += 1
        else:
            kinds["granted" if is_in_force(state, now=now) else "expired"] += 1

    assert kinds["granted"] > 1_200
    assert min(kinds["missing"], kinds["withdrawn"], kinds["expired"]) > 20


def test_loans_and_people_are_in_every_state_that_rules_ask_about(stories):
    statuses = {loan.state.status for story in stories for loan in story.history.loans}
    marketing = {story.person.marketing_status for story in stories}

    assert statuses == {
        LoanStatus.ACTIVE,
        LoanStatus.OVERDUE,
        LoanStatus.SETTLED,
        LoanStatus.CHARGED_OFF,
    }
    assert marketing >= {MarketingStatus.HARDSHIP, MarketingStatus.DISPUTE}
    assert any(story.person.phone is None for story in stories)
    assert any(story.person.name is None for story in stories)


def test_s15_people_are_tied_without_anything_else_depending_on_it(stories):
    named = Counter(name for story in stories for name in story.ties.attributes)
    devices = Counter(story.ties.attributes.get("device_id") for story in stories)
    numbers = {story.person.external_id: story.person.serial for story in stories}

    assert set(named) == {
        "household_id", "device_id", "employer", "referred_by", "guaranteed_by",
    }  # fmt: skip
    assert set(devices.values()) - {devices[None]} == {4}
    for story in stories:
        for name in ("referred_by", "guaranteed_by"):
            other = story.ties.attributes.get(name)
            assert other is None or numbers[other] < story.person.serial
