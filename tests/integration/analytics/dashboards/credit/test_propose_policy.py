"""A policy is proposed by a form; what it changes is read in words before it is in force."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.domain.credit.policy_text import parse_policy
from analytics.models import CreditDecision, PolicyVersion
from analytics.services.credit import policies
from customers.models import Application, Score
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.roles import ensure_roles
from tests.factories.credit import put_in_force
from tests.factories.people import make_people
from tests.golden.credit import POLICY

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
REASON = "准入线下调，自下月起执行"


@pytest.fixture
def users(db):
    ensure_roles()
    found = {}
    for role in ("analyst", "approver"):
        found[role] = User.objects.create_user(f"{role}-1", is_staff=True)
        found[role].groups.add(Group.objects.get(name=role))
    return found


def client_of(user, language="zh-hans"):
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


@pytest.fixture
def in_force(users):
    row = policies.propose_policy(
        actor=user_actor(users["analyst"]),
        content=POLICY,
        reason="首个策略版本，试行三个月",
        now=clock.now(),
    )
    put_in_force(user_actor(users["approver"]), row, clock.now())
    row.refresh_from_db()
    return row


def filled(page, **changes):
    """Return what a browser sends of the form as it was shown."""
    context = page.context
    data = {"how": "form", "rows": str(len(context["bands"])), "reason": REASON}
    for form in (context["terms"], *context["rules"], *context["bands"]):
        for field in form:
            value = field.value()
            if field.name != "reason" and value is not None:
                data[field.html_name] = value
    data["content"] = context["as_json"]["content"].value()
    return {**data, **changes}


def test_the_list_leads_to_the_form(users):
    page = client_of(users["analyst"]).get(reverse("admin:analytics_policyversion_add"))
    assert page["Location"] == reverse("credit:propose")


def test_the_form_begins_with_an_example_and_then_with_the_version_in_force(users):
    client, address = client_of(users["analyst"]), reverse("credit:propose")
    text = client.get(address).content.decode()
    assert "示例" in text
    assert "不低于" in text
    assert "月收入（元）" in text


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", "违约概率"), ("en", "chance of default")]
)
def test_the_score_of_the_example_has_a_name_in_words(users, language, words):
    page = client_of(users["analyst"], language).get(reverse("credit:propose"))
    assert [name for _value, name in page.context["terms"].fields["score_model"].choices] == [words]


def test_what_was_not_changed_is_proposed_as_it_is(users, in_force):
    client, address = client_of(users["analyst"]), reverse("credit:propose")
    answer = client.post(address, filled(client.get(address)))
    row = PolicyVersion.objects.get(number=2)
    assert answer["Location"] == reverse("credit:offers", args=[row.pk])
    assert parse_policy(row.content) == parse_policy(POLICY)
    assert (row.state, row.reason) == ("proposed", REASON)


def test_values_are_given_in_the_units_that_people_use(users, in_force):
    client, address = client_of(users["analyst"]), reverse("credit:propose")
    page = client.get(address)
    changes = {
        "cut_off": "9", "band-2-most_risk": "9", "score_age_days": "14",
        "payment_to_income-hard_rules": "55", "current_dpd_days-hard_rules": "",
        "band-1-annual_rate": "12.5",
    }  # fmt: skip
    client.post(address, filled(page, **changes))
    policy = parse_policy(PolicyVersion.objects.get(number=2).content)
    assert (policy.cut_off, policy.score_age_days) == (Decimal("0.09"), 14)
    assert {rule.fact.value: rule.value for rule in policy.hard_rules} == {
        "age_years": 18, "monthly_income": 2000, "payment_to_income": Decimal("0.55"),
        "charged_off_count": 0,
    }  # fmt: skip
    assert policy.bands[1].annual_rate == Decimal("0.125")


def test_sent_twice_it_is_one_version(users, in_force):
    client, address = client_of(users["analyst"]), reverse("credit:propose")
    data = filled(client.get(address), cut_off="9", **{"band-2-most_risk": "9"})
    first, second = client.post(address, data), client.post(address, data)
    assert first["Location"] == second["Location"]
    assert PolicyVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"band-1-annual_rate": "7"}, "利率低于风险更低的分档"),
        ({"band-1-limit_amount": "60000"}, "额度高于风险更低的分档"),
        ({"cut_off": "20"}, "最后一档须止于准入线"),
        ({"review_from": "30"}, "缺失或有误"),
        ({"band-1-limit_amount": ""}, "分档须填写此项"),
        ({"reason": "上线"}, "至少"),
    ],
)
def test_what_cannot_stand_is_said_beside_its_field_and_nothing_is_stored(
    users, in_force, changes, words
):
    client, address = client_of(users["analyst"]), reverse("credit:propose")
    page = client.post(address, filled(client.get(address), **changes))
    text = page.content.decode()
    assert words in text
    assert "bands[" not in text.split("<details")[0]
    assert PolicyVersion.objects.count() == 1


def test_more_rows_keep_what_was_typed(users, in_force):
    client, address = client_of(users["analyst"]), reverse("credit:propose")
    first = client.get(address)
    page = client.post(address, filled(first, how="rows", cut_off="7"))
    assert len(page.context["bands"]) == len(first.context["bands"]) + 3
    assert page.context["terms"]["cut_off"].value() == "7"
    assert PolicyVersion.objects.count() == 1


def test_experts_propose_json_with_the_same_reason(users, in_force):
    client, address = client_of(users["analyst"]), reverse("credit:propose")
    data = filled(client.get(address), how="json", cut_off="nonsense")
    data["content"] = json.dumps({**POLICY, "least_amount": 3000})
    client.post(address, data)
    assert PolicyVersion.objects.get(number=2).content["least_amount"] == 3000
    for content in ("{", json.dumps({**POLICY, "cut_off": "x"})):
        page = client.post(address, {**data, "content": content})
        assert page.status_code == 200
        assert page.context["is_expert"]
    assert PolicyVersion.objects.count() == 2


@pytest.fixture
def changed(users, in_force):
    content = json.loads(json.dumps(POLICY))
    content |= {"cut_off": "0.09", "score_age_days": 14}
    content["bands"][2] |= {"most_risk": "0.09", "annual_rate": "0.2"}
    del content["hard_rules"]["current_dpd_days"]
    content["hard_rules"]["monthly_income"] = 8000
    return policies.propose_policy(
        actor=user_actor(users["analyst"]), content=content, reason=REASON, now=clock.now()
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh-hans",
            [
                "准入线：由 10.00% 改为 9.00%",
                "可采用的最旧评分：由 30 天 改为 14 天",
                "硬性规则 · 月收入（元）：由 不低于 ¥2,000.00 改为 不低于 ¥8,000.00",
                "硬性规则 · 当前逾期天数：取消（原为 不高于 0）",
                "分档 C · 年利率：由 18.00% 改为 20.00%",
            ],
        ),
        (
            "en",
            [
                "Cut-off: from 10.00% to 9.00%",
                "Hard rule · Monthly income (¥): from at least ¥2,000.00 to at least ¥8,000.00",
                "Hard rule · Days past due now: no longer; it was at most 0",
                "Band C · annual rate: from 18.00% to 20.00%",
            ],
        ),
    ],
)
def test_the_change_is_read_in_words(users, changed, language, words):
    address = reverse("credit:offers", args=[changed.pk])
    page = client_of(users["approver"], language).get(address)
    assert set(words) <= set(page.context["changes"])
    assert words[0] in page.content.decode()


def decided(in_force, key, *, risk, income, outcome="approved", now=None):
    now = now or clock.now()
    (person,) = make_people(1, prefix=key)
    application = Application.objects.create(
        source="core", external_id=key, customer=person, submitted_at=now, amount=10_000
    )
    Score.objects.create(
        customer=person, model_name="application_pd", version="1", value=risk, is_latest=True,
        scored_at=now - timedelta(days=1),
    )  # fmt: skip
    granted = outcome == "approved"
    facts = {
        "age_years": "30", "monthly_income": income, "current_dpd_days": "0",
        "charged_off_count": "0",
    }  # fmt: skip
    return CreditDecision.objects.create(
        customer=person, application=application, policy=in_force, outcome=outcome, risk=risk,
        final_outcome=outcome, facts=facts, decided_at=now, reasons=[] if granted else ["x"],
        final_band="A" if granted else "", final_rate="0.08" if granted else None,
        final_limit_amount=10_000 if granted else None,
    )  # fmt: skip


def test_the_swap_set_says_whom_the_version_lets_in_and_keeps_out(users, in_force, changed):
    decided(in_force, "aaaa", risk="0.01", income="9000")
    decided(in_force, "bbbb", risk="0.01", income="3000")
    decided(in_force, "cccc", risk="0.95", income="9000", outcome="declined")
    page = client_of(users["approver"]).get(reverse("credit:offers", args=[changed.pk]))
    swap = page.context["swap"]
    assert swap["count"] == 3
    assert [counts for _term, counts in swap["matrix"]] == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert [line["count"] for line in swap["lines"]] == [1, 0, 1, 1]
    assert "去除" in page.content.decode() or "换出" in page.content.decode()


def test_nothing_is_put_in_force_against_another_version_than_was_read(users, changed, in_force):
    client = client_of(users["approver"])
    address = reverse("credit:offers", args=[changed.pk])
    html = client.get(address).content.decode()
    assert f'name="replaces" value="{in_force.number}"' in " ".join(html.split())
    other = policies.propose_policy(
        actor=user_actor(users["analyst"]), content={**POLICY, "least_amount": 2000},
        reason=REASON, now=clock.now(),
    )  # fmt: skip
    put_in_force(user_actor(users["approver"]), other, clock.now())
    data = {"replaces": str(in_force.number), "digest": changed.digest}
    assert "期间已有另一版本生效" in client.post(address, data, follow=True).content.decode()
    client.post(address, {"replaces": str(other.number), "digest": "0" * 64})
    changed.refresh_from_db()
    assert changed.state == "proposed"
    client.post(address, {"replaces": str(other.number), "digest": changed.digest})
    changed.refresh_from_db()
    assert (changed.state, changed.replaces_id) == ("active", other.pk)


def test_what_was_approved_shows_what_it_changed_then_and_takes_no_other_content(
    users, changed, in_force
):
    put_in_force(user_actor(users["approver"]), changed, clock.now())
    client = client_of(users["approver"])
    address = reverse("credit:offers", args=[changed.pk])
    page = client.get(address)
    assert page.context["before"] == in_force
    assert page.context["changes"]
    before = PolicyVersion.objects.get(pk=changed.pk)
    for data in ({"content": "{}"}, {"digest": "0" * 64, "replaces": "9"}):
        client.post(address, data)
    after = PolicyVersion.objects.get(pk=changed.pk)
    assert (after.content, after.digest, after.approved_at) == (
        before.content, before.digest, before.approved_at,
    )  # fmt: skip
    change = reverse("admin:analytics_policyversion_change", args=[changed.pk])
    assert client.post(change, {"content": "{}"}).status_code in {403, 405}
