"""Who may do what on the pages of credit and early warning: everybody else is refused with 403."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.models import (
    CreditAssumption,
    CreditDecision,
    DecisionReview,
    PolicyVersion,
    RiskCase,
    WarningBacktest,
    WarningRule,
)
from analytics.services.credit import policies
from analytics.services.warning import rules, watching
from customers.models import Application
from loancrm.kernel.access import system_actor
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.roles import ensure_roles
from tests.factories.people import make_people
from tests.golden.credit import POLICY
from tests.integration.analytics.dashboards.credit.test_propose_policy import filled
from tests.integration.analytics.services.warning.scene import lend

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
REASON = "准入线下调，自下月起执行"
ROLES = ("superuser", "marketer", "approver", "analyst", "steward", "compliance", "risk", "nobody")
# What each page's POST does, and who may; a superuser may everything.
MAY = {
    "propose": {"analyst", "risk"},
    "approve": {"approver", "compliance", "risk"},
    "contest": {"compliance", "risk"},
    "settle": {"approver", "compliance", "risk"},
    "assume": {"analyst", "risk"},
    "take": {"analyst", "compliance", "risk"},
    "close": {"analyst", "compliance", "risk"},
    "rule": {"analyst", "risk"},
    "replay": {"analyst", "risk"},
}


@pytest.fixture
def client_of(db):
    ensure_roles()

    def signed_in(role):
        user = User.objects.create_user(
            f"{role}-1", is_staff=True, is_superuser=role == "superuser"
        )
        if role not in {"superuser", "nobody"}:
            user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def scene(db, now):
    """A version that waits, a decision with an open review and one without, and an open case."""
    version = policies.propose_policy(
        actor=system_actor("test"), content=POLICY, reason=REASON, now=now
    )
    person, other, late = make_people(3)
    made = []
    for number, (who, outcome) in enumerate(((person, "review"), (other, "declined"))):
        application = Application.objects.create(
            source="core", external_id=f"A{number}", customer=who, submitted_at=now, amount=9000
        )
        made.append(
            CreditDecision.objects.create(
                customer=who,
                application=application,
                policy=version,
                outcome=outcome,
                final_outcome="" if outcome == "review" else outcome,
                decided_at=now,
                reasons=["past_due_now"],
                facts={"monthly_income": "9000"},
            )
        )
    review = DecisionReview.objects.create(
        decision=made[0], customer=person, kind="policy", requested_at=now
    )
    rules.ensure_rules()
    lend(late)
    watching.watch_people(actor=system_actor("job:test"), customer_ids=[late.pk], now=now)
    return {"version": version, "waiting": made[0], "declined": made[1], "review": review}


def sent(what, scene, client, now):
    """Return address and data of a page's POST."""
    case = RiskCase.objects.get(alert__rule__name="first-payment-missed")
    rule = WarningRule.objects.get(name="bucket-up")
    today = now.date()
    addresses = {
        "propose": reverse("credit:propose"),
        "approve": reverse("credit:offers", args=[scene["version"].pk]),
        "contest": reverse("credit:decision", args=[scene["declined"].pk]),
        "settle": reverse("credit:decision", args=[scene["waiting"].pk]),
        "assume": reverse("admin:analytics_creditassumption_add"),
        "take": reverse("warning:take", args=[case.pk]),
        "close": reverse("warning:close", args=[case.pk]),
        "rule": reverse("warning:rule", args=[rule.pk]),
        "replay": reverse("warning:replays"),
    }
    if what == "propose":
        page = client.get(addresses[what])
        return addresses[what], filled(page, least_amount="2000") if page.context else {}
    data = {
        "approve": {"replaces": "", "digest": scene["version"].digest},
        "contest": {"what": "contest", "request": "客户要求人工复核此决定"},
        "settle": {
            "what": "settle", "outcome": "approved", "band": "B", "limit": "5,000",
            "review": scene["review"].pk, "reason": "收入证明已经人工核实无误",
        },
        "assume": {
            "name": "loss_given_default", "value": "0.5", "source": "催收部门二〇二五年年度统计",
        },
        "take": {},
        "close": {"outcome": "acted", "note": "已联系客户，周五还款"},
        "rule": {
            "severity": "high", "action": "remind", "days": "9", "window_days": "30",
            "answer_hours": "48", "cool_down_days": "30", "is_active": "on",
        },
        "replay": {
            "first": str(today - timedelta(days=30)), "until": str(today), "step_days": "10",
            "horizon_days": "30", "default_days": "30",
        },
    }  # fmt: skip
    return addresses[what], data[what]


def done():
    """Return how often each thing was done."""
    rule = WarningRule.objects.get(name="bucket-up")
    return {
        "propose": PolicyVersion.objects.count() - 1,
        "approve": PolicyVersion.objects.filter(state="active").count(),
        "contest": DecisionReview.objects.filter(kind="contest").count(),
        "settle": DecisionReview.objects.exclude(reviewed_at=None).count(),
        "assume": CreditAssumption.objects.count(),
        "take": RiskCase.objects.filter(state="taken").count(),
        "close": RiskCase.objects.filter(state="closed").count(),
        "rule": int(rule.days == 9),
        "replay": WarningBacktest.objects.count(),
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", sorted(MAY))
def test_who_may_do_it_does_it_once_and_nobody_else(what, role, client_of, scene, now):
    client = client_of(role)
    address, data = sent(what, scene, client, now)
    nothing = dict.fromkeys(MAY, 0)
    assert done() == nothing
    before = AuditEntry.objects.count()
    if role != "superuser" and role not in MAY[what]:
        assert client.post(address, data).status_code == 403
        assert done() == nothing
        assert AuditEntry.objects.count() == before
        return
    assert client.post(address, data).status_code == 302
    assert done() == {**nothing, what: 1}
    # Sent twice, by a double click: there is still one of it, and one entry.
    entries = AuditEntry.objects.count()
    assert entries == before + 1
    assert client.post(address, data).status_code in {200, 302}
    assert done() == {**nothing, what: 1}
    assert AuditEntry.objects.count() == entries


def test_what_a_person_grants_has_the_terms_of_the_band(client_of, scene, now):
    client = client_of("approver")
    address, data = sent("settle", scene, client, now)
    page = client.post(address, {**data, "limit": "30001"})
    assert page.status_code == 200
    assert done()["settle"] == 0
    page = client.post(address, {**data, "limit": "much"})
    assert done()["settle"] == 0
    client.post(address, data)
    row = CreditDecision.objects.get(pk=scene["waiting"].pk)
    assert (row.final_band, float(row.final_rate), row.final_limit_amount) == ("B", 0.12, 5000)
    review = row.reviews.get()
    assert (review.band, float(review.annual_rate), review.limit_amount) == ("B", 0.12, 5000)
    text = client.get(address).content.decode()
    assert "¥5,000.00" in text
    assert "12.00%" in text
