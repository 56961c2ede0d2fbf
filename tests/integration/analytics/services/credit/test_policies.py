"""Policies, decisions and reviews from proposal to contest, on both databases."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import translation

from analytics.domain.credit.assumptions import AssumptionName
from analytics.domain.credit.policy import DecisionOutcome
from analytics.models import CreditDecision, DecisionReview, PolicyVersion
from analytics.selectors.credit import applicants, values
from analytics.services.credit import assumptions, deciding, policies, reviews
from analytics.services.credit.assumptions import AssumptionRefused
from analytics.services.credit.policies import PolicyRefused
from analytics.services.credit.reviews import ReviewRefused
from customers.models import (
    Application,
    AttributeDefinition,
    AttributeValue,
    Customer,
    IncomeFlow,
    Loan,
    Score,
)
from customers.services.identity import merging
from customers.services.privacy import own_data
from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.credit import put_in_force
from tests.factories.loans import make_loan
from tests.factories.people import make_people
from tests.golden.credit import POLICY

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

NOW = datetime(2026, 7, 15, 4, tzinfo=UTC)
REASON = "The board decided so on 1 July."
RIGHTS = (
    *("add_policyversion", "change_policyversion", "add_decisionreview", "change_decisionreview"),
    *("view_creditdecision", "view_policyversion", "add_creditassumption"),
)


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def staff():
    """Three people who may do everything with policies and reviews."""
    users = []
    for name in ("ann", "bob", "cho"):
        user = User.objects.create_user(name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
        users.append(user)
    return [user_actor(user) for user in users]


@pytest.fixture
def in_force(staff):
    row = policies.propose_policy(actor=staff[0], content=POLICY, reason=REASON, now=NOW)
    put_in_force(staff[1], row, NOW)
    return row


def apply(person, key, *, risk="0.01", income="9000", **columns):
    person.birth_date = date(1990, 1, 1)
    person.save(update_fields=["birth_date"])
    if income is not None:
        name = {"name": "monthly_income", "defaults": {"value_type": "number"}}
        definition, _made = AttributeDefinition.objects.get_or_create(**name)
        AttributeValue.objects.update_or_create(
            customer=person, definition=definition, defaults={"number": income, "updated_at": NOW}
        )
    if risk is not None:
        Score.objects.update_or_create(
            customer=person,
            model_name="application_pd",
            is_latest=True,
            defaults={"version": "1", "value": risk, "scored_at": NOW},
        )
    given = {"source": "app", "status": "submitted", "submitted_at": NOW, "amount": 5000}
    return Application.objects.create(customer=person, external_id=key, **{**given, **columns})


def decide():
    return deciding.decide_applications(actor=system_actor("test"), now=NOW)


def test_four_eyes_put_a_policy_in_force_and_the_one_before_ends(staff):
    ann, bob, _cho = staff
    first = policies.propose_policy(actor=ann, content=POLICY, reason=REASON, now=NOW)
    with pytest.raises(PolicyRefused, match="second person"):
        put_in_force(ann, first, NOW)
    with pytest.raises(PolicyRefused, match="A person"):
        put_in_force(system_actor("x"), first, NOW)
    put_in_force(bob, first, NOW)
    second = policies.propose_policy(actor=bob, content=POLICY, reason=REASON, now=NOW)
    put_in_force(ann, second, NOW)

    states = dict(PolicyVersion.objects.values_list("number", "state"))
    assert states == {1: "ended", 2: "active"}
    deeds = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert deeds == ["credit_policy.recorded", "credit_policy.approved"] * 2


def test_a_policy_that_was_changed_behind_the_back_decides_nothing(in_force):
    apply(make_people(1)[0], "A1")
    PolicyVersion.objects.filter(pk=in_force.pk).update(content={**POLICY, "cut_off": "0.9"})

    with pytest.raises(PolicyRefused, match="changed"):
        decide()
    assert not CreditDecision.objects.exists()


@pytest.mark.parametrize("content", [{}, {**POLICY, "hard_rules": {"gender": 1}}])
def test_what_is_no_policy_is_not_stored(staff, content):
    with pytest.raises(PolicyRefused):
        policies.propose_policy(actor=staff[0], content=content, reason=REASON, now=NOW)
    assert not PolicyVersion.objects.exists()


def test_without_a_policy_nothing_is_decided():
    apply(make_people(1)[0], "A1")

    assert (decide().policy, CreditDecision.objects.count()) == (0, 0)


def test_applications_are_decided_once_with_reasons_and_a_queue(in_force):
    good, late, unknown, objector, poor = make_people(5)
    Customer.objects.filter(pk=objector.pk).update(personalisation_allowed=False)
    make_loan(late, "L1", date(2026, 1, 10), status="overdue", dpd_days=40, max_dpd_days=40)
    for person, key, given in (
        (good, "good", {}),
        (late, "late", {}),
        (unknown, "unknown", {"risk": None}),
        (objector, "objector", {}),
        (poor, "poor", {"income": None}),
        (good, "old", {"status": "declined"}),
    ):
        apply(person, key, **given)

    found = decide()

    assert (found.approved, found.declined, found.review) == (1, 1, 3)
    rows = {row.application.external_id: row for row in CreditDecision.objects.all()}
    assert {key: (row.outcome, row.reasons) for key, row in rows.items()} == {
        "good": ("approved", []),
        "late": ("declined", ["past_due_now"]),
        "unknown": ("review", ["risk_not_known"]),
        "objector": ("review", ["risk_not_known"]),
        "poor": ("review", ["fact_missing"]),
    }
    terms = (rows["good"].final_band, rows["good"].final_rate, rows["good"].final_limit_amount)
    assert terms == ("A", Decimal("0.08"), 5000)
    assert (rows["good"].score_version, rows["good"].scored_at) == ("1", NOW)
    assert rows["late"].final_rate is None
    assert rows["late"].facts["current_dpd_days"] == "40"
    assert DecisionReview.objects.filter(kind="policy", reviewed_at=None).count() == 3
    assert decide().count == 0
    assert CreditDecision.objects.count() == 5


def test_facts_are_read_in_a_fixed_number_of_queries(django_assert_num_queries):
    people = make_people(6)
    for number, person in enumerate(people):
        apply(person, f"A{number}")
        make_loan(person, f"L{number}", date(2026, 6, 1), amount=1200, max_dpd_days=number)
    waiting = list(applicants.waiting_applications().select_related("customer"))
    with django_assert_num_queries(7):
        facts = applicants.load_facts(
            waiting, score_model="application_pd", today=date(2026, 7, 15), now=NOW
        )
    read = facts[waiting[3].pk].facts.values
    assert {name.value: value for name, value in read.items()} == {
        "age_years": 36,
        "monthly_income": 9000,
        # 100 falls due on 1 August.
        "payment_to_income": Decimal("0.011111"),
        "current_dpd_days": 0,
        "worst_dpd_days": 3,
        "charged_off_count": 0,
        "open_loan_count": 1,
        "recent_application_count": 1,
    }


def flow(person, kind, amount, key, **columns):
    given = {"source": "form", "external_id": key, "valid_from": date(2026, 1, 1)}
    IncomeFlow.objects.create(
        customer=person, kind=kind, monthly_amount=Decimal(amount), **{**given, **columns}
    )


def test_income_and_obligations_on_record_count_and_the_attribute_only_without_them():
    """Whoever owes elsewhere most of what they earn does not pass by what they owe here."""
    indebted, losing, stated = make_people(3)
    applications = [apply(person, f"A{at}") for at, person in enumerate((indebted, losing, stated))]
    flow(indebted, "income", 6000, "1")
    flow(indebted, "income", 9999, "2", valid_until=date(2026, 6, 30))
    flow(indebted, "obligation", 4000, "3")
    flow(indebted, "obligation", 1000, "4", share=Decimal("0.5"), joint_reference="home")
    flow(losing, "income", -200, "5")
    flow(stated, "obligation", 900, "6")
    make_loan(indebted, "L1", date(2026, 6, 20), amount=3600)
    found = applicants.load_facts(
        applications, score_model="application_pd", today=date(2026, 7, 15), now=NOW
    )
    values_of = [
        (
            found[one.pk].facts.values.get("monthly_income"),
            found[one.pk].facts.values.get("payment_to_income"),
        )
        for one in applications
    ]
    assert values_of == [
        # (300 due on 20 July + 4000 + half of 1000) ÷ 6000.
        (6000, Decimal("0.8")),
        (-200, None),
        (9000, Decimal("0.1")),
    ]


def test_days_past_due_that_no_one_knows_are_absent():
    (person,) = make_people(1)
    application = apply(person, "A1", income="0")
    Loan.objects.create(
        customer=person,
        source="bank",
        external_id="R",
        principal_amount=1,
        term_months=1,
        disbursed_on=date(2026, 1, 1),
        status="overdue",
        is_state_reported=True,
    )
    found = applicants.load_facts(
        [application], score_model="application_pd", today=date(2026, 7, 15), now=NOW
    )
    assert {"current_dpd_days", "payment_to_income"}.isdisjoint(found[application.pk].facts.values)


def test_a_contested_decision_is_settled_by_somebody_else_and_stays_on_record(in_force, staff):
    ann, bob, cho = staff
    (person,) = make_people(1)
    make_loan(person, "L1", date(2026, 1, 10), status="overdue", dpd_days=40)
    apply(person, "A1")
    decide()
    decision = CreditDecision.objects.get()
    assert decision.final_outcome == "declined"

    ask = {"actor": ann, "decision_id": decision.pk, "request": "The loan was paid on 12 July."}
    review = reviews.contest_decision(**ask, now=NOW)
    with pytest.raises(ReviewRefused, match="already"):
        reviews.contest_decision(**ask, now=NOW)
    answer = {
        "review_id": review.pk, "outcome": DecisionOutcome.APPROVED, "now": NOW, "band": "A",
    }  # fmt: skip
    with pytest.raises(ReviewRefused, match="no part"):
        reviews.settle_review(actor=ann, reason=REASON, **answer)
    with pytest.raises(ReviewRefused, match="say why"):
        reviews.settle_review(actor=bob, reason="", **answer)
    reviews.settle_review(actor=bob, reason="The payment has been found.", **answer)
    with pytest.raises(ReviewRefused, match="settled"):
        reviews.settle_review(actor=cho, reason=REASON, **answer)

    decision.refresh_from_db()
    assert (decision.outcome, decision.final_outcome) == ("declined", "approved")
    assert (decision.annual_rate, decision.final_rate) == (None, Decimal("0.08"))
    assert decision.final_limit_amount == 5000
    again = reviews.contest_decision(**{**ask, "actor": cho}, now=NOW)
    with pytest.raises(ReviewRefused, match="no part"):
        reviews.settle_review(actor=bob, reason=REASON, **{**answer, "review_id": again.pk})


def test_decisions_are_in_the_export_of_own_data_and_go_along_in_a_merge(in_force, admin_user):
    kept, gone = make_people(2)
    apply(gone, "A1", risk=None)
    decide()
    admin = user_actor(admin_user)
    merging.merge(actor=admin, kept_id=kept.pk, other_id=gone.pk, now=NOW)

    assert CreditDecision.objects.get().customer_id == kept.pk
    assert DecisionReview.objects.get().customer_id == kept.pk
    exported = own_data.export_own_data(
        actor=admin, customer_id=kept.pk, reason="asked for it", now=NOW
    )
    rows = exported["tables"]["analytics.creditdecision"]["rows"]
    assert [row["reasons"] for row in rows] == [["risk_not_known"]]
    assert exported["tables"]["analytics.decisionreview"]["rows"]


def test_the_page_of_a_decision_takes_what_the_customer_says_and_settles_it(in_force, client):
    (person,) = make_people(1)
    apply(person, "A1", risk=None)
    decide()
    decision = CreditDecision.objects.get()
    address = reverse("credit:decision", args=[decision.pk])
    client.force_login(User.objects.get(username="cho"))

    page = client.get(address, headers={"accept-language": "zh-hans"})
    assert "没有违约概率的记录。" in page.content.decode()
    answer = {"what": "settle", "outcome": "declined", "reason": "Income could\x00 not be shown."}
    read = page.context["open_review"]
    client.post(address, answer)
    client.post(address, {**answer, "review": read + 1})
    assert not DecisionReview.objects.exclude(reviewed_at=None).exists()
    client.post(address, {**answer, "review": read})
    decision.refresh_from_db()
    assert decision.final_outcome == "declined"
    client.post(address, {"what": "contest", "request": "I can show my income now."})
    assert DecisionReview.objects.filter(kind="contest", reviewed_at=None).count() == 1
    offers = client.get(reverse("credit:offers", args=[in_force.pk]))
    assert [band["rate"] for band in offers.context["bands"]] == ["8.00%", "12.00%", "18.00%"]


def test_assumptions_have_a_history_and_the_last_one_holds(staff):
    name = AssumptionName.LOSS_GIVEN_DEFAULT
    for share in ("0.5", "0.55"):
        assumptions.record_assumption(
            actor=staff[0], name=name, value=Decimal(share), source="Collections, 2025", now=NOW
        )

    found = values.load_values()[name]

    assert (found.value, found.origin, found.source) == (0.55, "assumed", "Collections, 2025")
    assert float(values.lifetime_assumptions().loss_given_default) == 0.55
    entries = AuditEntry.objects.filter(action="credit_assumption.recorded")
    assert [entry.facts["value"] for entry in entries.order_by("pk")] == ["0.5", "0.55"]
    for value, source in ((Decimal("1.1"), "a good source"), (Decimal(0), "x")):
        with pytest.raises(AssumptionRefused):
            assumptions.record_assumption(
                actor=staff[0], name=name, value=value, source=source, now=NOW
            )
    clerk = user_actor(User.objects.create_user("clerk"))
    with pytest.raises(PermissionRefused):
        assumptions.record_assumption(
            actor=clerk, name=name, value=Decimal("0.5"), source="a good source", now=NOW
        )
