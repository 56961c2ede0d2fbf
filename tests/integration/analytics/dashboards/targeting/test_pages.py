"""The pages of targeting: who may start, who may look, what the steps refuse."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.models import TargetingRun
from analytics.services.targeting import runs
from customers.models import Customer
from loancrm.kernel.manifest import Role
from loancrm.kernel.roles import ensure_roles
from loancrm.kernel.work import service
from tests.factories.campaigns import make_channel
from tests.factories.scored import give_scores
from tests.integration.analytics.services.targeting.test_runs import description, population

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


@pytest.fixture
def client_of():
    ensure_roles()

    def made(role):
        user = User.objects.create_user(f"one-{role}", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return made


@pytest.fixture
def run(actor, now):
    population(now)
    make_channel("sms", cost_per_part="0.045")
    caps = {"people": 12, "pd": 0.1, "fairness": [{"attribute": "gender", "min_impact_ratio": 0.8}]}
    row = runs.start_run(actor=actor, data=description(caps=caps), now=now, is_background=False)
    runs.run(work_id=row.work_id, now=now, actor=actor)
    return TargetingRun.objects.get(pk=row.pk)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_looks_and_only_marketers_and_analysts_begin(client_of, run, role):
    client = client_of(role)
    assert client.get(reverse("targeting:index")).status_code == 200
    page = client.get(reverse("targeting:run", args=[run.pk]))
    assert page.status_code == 200
    expected = 200 if role in {Role.MARKETER, Role.ANALYST} else 403
    assert client.get(reverse("targeting:whom")).status_code == expected


def test_the_result_tells_profit_caps_reasons_and_fairness(client_of, run):
    page = client_of(Role.MARKETER).get(reverse("targeting:run", args=[run.pk])).content.decode()
    for text in (
        f"¥{run.result['profit']:,.0f}",
        "best choice there is",
        "A contact does not help, or does harm",
        "Impact ratio by Gender",
        "target-spring-cash",
        "Make a campaign with it",
    ):
        assert text in page


def test_the_steps_ask_for_what_is_missing_and_lead_back_to_what_was_skipped(client_of, now):
    population(now, count=6)
    make_channel("sms")
    client = client_of(Role.MARKETER)
    assert client.get(reverse("targeting:how_much"), follow=True).redirect_chain[-1][0] == reverse(
        "targeting:whom"
    )
    given = {"name": "Spring", "slug": "spring", "segment": ""}
    page = client.post(reverse("targeting:whom"), given).content.decode()
    assert "Choose the score of the uplift, or of the response." in page
    client.post(reverse("targeting:whom"), {**given, "uplift": "up"})
    offers = {"offers-TOTAL_FORMS": 1, "offers-INITIAL_FORMS": 0, "parts": 1}
    page = client.post(reverse("targeting:what"), {**offers, "channels": "sms-memory"})
    assert "At least one offer is needed." in page.content.decode()
    offer = {"offers-0-name": "Cash", "offers-0-lgd": 65, "offers-0-ead": 20_000}
    page = client.post(reverse("targeting:what"), {**offers, **offer, "channels": "sms-memory"})
    assert "This field is required." in page.content.decode()
    offer["offers-0-margin"] = 1800
    client.post(reverse("targeting:what"), {**offers, **offer, "channels": "sms-memory"})
    # A loss is expected, and no score says how likely: told when it is started.
    page = client.post(reverse("targeting:how_much"), {"people": 3}).content.decode()
    assert "offers[0].lgd" in page
    assert not TargetingRun.objects.exists()


def test_an_alert_and_a_floor_that_is_left_empty_are_as_the_page_says(client_of, now):
    population(now, count=6)
    make_channel("sms")
    client = client_of(Role.MARKETER)
    given = {"name": "Spring", "slug": "spring", "segment": "", "uplift": "up"}
    client.post(reverse("targeting:whom"), given)
    offer = {"offers-TOTAL_FORMS": 1, "offers-INITIAL_FORMS": 0, "parts": 1}
    offer |= {"offers-0-name": "Cash", "offers-0-margin": 1800, "channels": "sms-memory"}
    client.post(reverse("targeting:what"), offer)
    caps = {"alert": "medium", "fair_by": ["gender"], "min_impact_ratio": ""}
    client.post(reverse("targeting:how_much"), caps)

    run = TargetingRun.objects.get()
    assert run.spec["caps"]["alert"] == "medium"
    assert [one["min_impact_ratio"] for one in run.spec["caps"]["fairness"]] == [0.8]
    page = client.get(reverse("targeting:run", args=[run.pk])).content.decode()
    assert "Open alert from which nobody is contacted" in page
    assert "Medium" in page


def test_scores_are_called_by_their_names(client_of, actor, now):
    population(now, count=6)
    give_scores(Customer.objects.all(), "application_risk", lambda _at: 600, now)
    page = client_of(Role.ANALYST).get(reverse("targeting:whom")).content.decode()
    assert ">application risk</option>" in page
    assert ">application_risk</option>" not in page


def test_the_result_leads_back_and_its_columns_have_headings(client_of, run):
    page = client_of(Role.ANALYST).get(reverse("targeting:run", args=[run.pk])).content.decode()
    assert f'class="lcx-button" href="{reverse("targeting:index")}"' in page
    for words in ("Limit of the cap", "Chosen of the group", "95 % interval", "incentive ¥"):
        assert words in page
    assert "95 %% interval" not in page


def test_an_offer_says_what_a_default_costs_where_the_risk_is_weighed(client_of, now):
    population(now, count=6)
    make_channel("sms")
    client = client_of(Role.MARKETER)
    whom = {"name": "Spring", "slug": "spring", "segment": "", "uplift": "up"}
    what = {
        "offers-TOTAL_FORMS": "3",
        "offers-INITIAL_FORMS": "0",
        "offers-0-name": "Cash",
        "offers-0-margin": "1800",
        "channels": "sms-memory",
        "parts": "1",
    }
    client.post(reverse("targeting:whom"), {**whom, "pd": "pd"})
    page = client.post(reverse("targeting:what"), what)
    assert set(page.context["offers"].errors[0]) == {"lgd", "ead"}

    client.post(reverse("targeting:whom"), whom)
    assert client.post(reverse("targeting:what"), what).status_code == 302
    last = client.get(reverse("targeting:how_much")).content.decode()
    assert "it sends nothing" in last
