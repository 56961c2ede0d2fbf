"""Pages of the credit policy and of decisions: words with units, nothing approved unseen."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.models import CreditDecision, DecisionReview, PolicyVersion
from analytics.services.credit import policies, reviews
from customers.models import Application
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.roles import ensure_roles
from tests.factories.credit import grant_terms
from tests.factories.people import make_people
from tests.golden.credit import POLICY

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
HEADERS = {"Accept-Language": "zh-hans"}


@pytest.fixture
def users(db):
    ensure_roles()
    found = {}
    for role in ("analyst", "approver", "compliance", "risk", "steward"):
        found[role] = User.objects.create_user(f"{role}-1", is_staff=True)
        found[role].groups.add(Group.objects.get(name=role))
    return found


def client_of(user):
    client = Client(headers=HEADERS)
    client.force_login(user)
    return client


@pytest.fixture
def proposed(users):
    return policies.propose_policy(
        actor=user_actor(users["analyst"]),
        content=POLICY,
        reason="首个策略版本，自本月起试行",
        now=clock.now(),
    )


@pytest.fixture
def decided(proposed, now):
    (person,) = make_people(1)
    application = Application.objects.create(
        source="core", external_id="A1", customer=person, submitted_at=now
    )
    return CreditDecision.objects.create(
        customer=person,
        application=application,
        policy=proposed,
        outcome="declined",
        reasons=["past_due_now"],
        facts={"payment_to_income": "0.354315", "monthly_income": "2700", "age_years": "34"},
        decided_at=now,
    )


def test_a_policy_page_says_on_which_side_of_a_value_a_fact_must_be(users, proposed):
    page = client_of(users["approver"]).get(reverse("credit:offers", args=[proposed.pk]))
    text = page.content.decode()
    for words in ("不低于 18", "不低于 ¥2,000.00", "不高于 50.00%", "不高于 60", "application_pd"):
        assert words in text


def test_a_policy_is_put_in_force_on_the_page_that_shows_it(users, proposed):
    address = reverse("credit:offers", args=[proposed.pk])
    own = client_of(users["analyst"]).get(address).content.decode()
    assert "须由提交人以外" in own
    assert "生效后，所有新申请均按此版本决定。" not in own

    client = client_of(users["approver"])
    assert "生效后，所有新申请均按此版本决定。" in client.get(address).content.decode()
    listed = client.get(reverse("admin:analytics_policyversion_changelist")).content.decode()
    assert "put_in_force" not in listed
    assert "查看并审批" in listed
    client.post(address, {"replaces": "", "digest": proposed.digest})
    proposed.refresh_from_db()
    assert proposed.state == "active"
    assert "生效后" not in client.get(address).content.decode()


def test_who_proposed_it_is_told_why_it_cannot_be_put_in_force_by_the_same_person(users, proposed):
    address = reverse("credit:offers", args=[proposed.pk])
    assert client_of(users["analyst"]).post(address).status_code == 403
    users["analyst"].groups.add(Group.objects.get(name="approver"))
    client_of(users["analyst"]).post(address, {"digest": proposed.digest})
    proposed.refresh_from_db()
    assert proposed.state == "proposed"


def test_a_policy_that_was_changed_meanwhile_is_shown_as_such(users, proposed):
    PolicyVersion.objects.update(content={**POLICY, "rate_cap": "0.99"})
    page = client_of(users["approver"]).get(reverse("credit:offers", args=[proposed.pk]))
    assert page.status_code == 200
    assert page.context["problem"]
    assert not page.context["may_approve"]


def test_a_list_of_decisions_names_the_person_and_no_wrong_state(users, decided):
    text = (
        client_of(users["compliance"])
        .get(reverse("admin:analytics_creditdecision_changelist"))
        .content.decode()
    )
    address = reverse("credit:decision", args=[decided.pk])
    assert f'href="{address}">#{decided.pk}</a>' in text
    assert ">待处理<" not in text
    assert "客*" in text


def test_facts_of_a_decision_have_their_units(users, decided):
    text = (
        client_of(users["compliance"])
        .get(reverse("credit:decision", args=[decided.pk]))
        .content.decode()
    )
    assert "35.43%" in text
    assert "¥2,700.00" in text
    assert "0.354315" not in text
    assert reverse("admin:analytics_creditdecision_changelist") in text


def test_a_refused_note_keeps_what_was_typed(users, decided):
    page = client_of(users["compliance"]).post(
        reverse("credit:decision", args=[decided.pk]), {"what": "contest", "request": "太短"}
    )
    assert page.status_code == 200
    assert ">太短</textarea>" in page.content.decode()


def test_reviews_that_wait_stand_first_on_both_databases(users, decided, now):
    settled = DecisionReview.objects.create(
        decision=decided, customer=decided.customer, kind="contest", requested_at=now,
        reviewed_at=now, outcome="declined",
    )  # fmt: skip
    waiting = reviews.contest_decision(
        actor=user_actor(users["compliance"]),
        decision_id=decided.pk,
        request="客户要求人工复核此决定",
        now=now,
    )
    page = client_of(users["compliance"]).get(reverse("admin:analytics_decisionreview_changelist"))
    assert [row.pk for row in page.context["cl"].result_list] == [waiting.pk, settled.pk]


def test_an_empty_list_says_what_is_not_there_and_offers_no_filter_to_reset(users):
    client = client_of(users["analyst"])
    for name, words in (
        ("policyversion", "尚未提交任何授信策略"),
        ("creditdecision", "尚无授信决定"),
        ("decisionreview", "没有等待人工处理的决定"),
    ):
        text = client.get(reverse(f"admin:analytics_{name}_changelist")).content.decode()
        assert words in text, name
        assert "没有找到结果" not in text
        assert "重置筛选" not in text
    filtered = client.get(
        reverse("admin:analytics_creditdecision_changelist"), {"outcome": "declined"}
    ).content.decode()
    assert "没有符合筛选条件的内容" in filtered or "没有找到结果" in filtered
    assert "重置筛选" in filtered


def test_a_risk_officer_notes_what_a_customer_contests_and_a_steward_sees_no_decision(
    users, decided
):
    address = reverse("credit:decision", args=[decided.pk])
    assert client_of(users["steward"]).get(address).status_code == 403
    client = client_of(users["risk"])
    assert client.get(address).context["may_contest"]
    assert (
        client.post(address, {"what": "contest", "request": "客户要求人工复核此决定"}).status_code
        == 302
    )
    assert DecisionReview.objects.filter(decision=decided, kind="contest").count() == 1


def test_reasons_stand_with_what_the_policy_said_and_not_with_what_a_person_decided(users, decided):
    grant_terms(decided)
    page = client_of(users["approver"]).get(reverse("credit:decision", args=[decided.pk]))
    text = page.content.decode()
    assert text.index("策略的结论") < text.index('id="reasons"')
