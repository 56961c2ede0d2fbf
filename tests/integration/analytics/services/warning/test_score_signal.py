"""The signal of a fallen score reads the champion for the risk of default, or a named score."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from analytics.models import ModelVersion, RegisteredModel, RiskAlert, WarningRule
from analytics.services.warning import rules, watching
from customers.models import BureauPull, DataSource, Inquiry, Score
from loancrm.kernel.access import system_actor
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
SYSTEM = system_actor("job:test")


@pytest.fixture(autouse=True)
def _rules(db):
    rules.ensure_rules()
    WarningRule.objects.exclude(name__in=["score-dropped", "inquiries-many"]).update(
        is_active=False
    )


@pytest.fixture
def person(db):
    return make_people(1)[0]


def champion(now, name="pd", purpose="default_risk", effective_days=30):
    model = RegisteredModel.objects.create(name=name, purpose=purpose, created_at=now)
    return ModelVersion.objects.create(
        model=model, number=1, state="champion", kind="scorecard", digest="a" * 64, seal="",
        trained_at=now, effective_at=now - timedelta(days=effective_days),
    )  # fmt: skip


def fall(person, now, *, model="pd", version, bands=("A", "D")):
    for at, band in enumerate(bands):
        Score.objects.create(
            customer=person, model_name=model, version=version, value="0.1", band=band,
            scored_at=now - timedelta(days=9 - at), is_latest=at == len(bands) - 1,
        )  # fmt: skip


def opened(person, now):
    watching.watch_people(actor=SYSTEM, customer_ids=[person.pk], now=now)
    return set(RiskAlert.objects.filter(ended_at=None).values_list("rule__name", flat=True))


def test_the_score_of_the_champion_for_the_risk_of_default_speaks(person, now):
    fall(person, now, version=champion(now).label)
    assert opened(person, now) == {"score-dropped"}


def test_no_other_score_with_letters_speaks(person, now):
    response = champion(now, name="response", purpose="response")
    fall(person, now, model="response", version=response.label)
    fall(person, now, model="from_outside", version="1")
    fall(person, now, version="v9-of-a-challenger")
    assert opened(person, now) == set()


def test_a_rule_may_name_a_score_from_outside(person, now, actor):
    fall(person, now, model="from_outside", version="1")
    rule = WarningRule.objects.get(name="score-dropped")
    changes = {"score_model": "from_outside"}
    rules.change_rule(actor=actor, rule=rule, changes=changes, now=now)
    assert opened(person, now) == {"score-dropped"}


def test_the_page_of_the_rule_offers_the_scores_with_letters(person, now, admin_user):
    fall(person, now, model="from_outside", version="1")
    client = Client(headers={"Accept-Language": "zh-hans"})
    client.force_login(admin_user)
    rule = WarningRule.objects.get(name="score-dropped")
    page = client.get(reverse("warning:rule", args=[rule.pk]))
    assert "违约风险的在用模型" in page.content.decode()
    form = page.context["form"]
    assert [value for value, _label in form.fields["score_model"].choices] == ["", "from_outside"]
    given = {name: form.initial[name] for name in form.initial if form.initial[name] is not None}
    client.post(reverse("warning:rule", args=[rule.pk]), {**given, "score_model": "from_outside"})
    rule.refresh_from_db()
    assert rule.score_model == "from_outside"


def test_reports_of_a_vendor_that_is_off_say_nothing(person, now):
    vendor = DataSource.objects.create(name="pboc", kind="vendor", created_at=now)
    today = now.date()
    pull = BureauPull.objects.create(
        source="core", external_id="p1", customer=person, vendor="pboc", purpose="credit_review",
        consent_reference="K", pulled_on=today, valid_until=today + timedelta(days=90),
    )  # fmt: skip
    for number in range(4):
        Inquiry.objects.create(
            source="core", external_id=f"i{number}", pull=pull, inquired_on=today
        )
    assert opened(person, now) == {"inquiries-many"}
    DataSource.objects.filter(pk=vendor.pk).update(is_active=False)
    assert opened(person, now + timedelta(minutes=1)) == set()
