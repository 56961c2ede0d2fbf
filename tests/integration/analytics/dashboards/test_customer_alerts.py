"""Alerts on the page of the person they are about, for whoever may see risk and nobody else."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.models import RiskAlert
from analytics.services.warning import rules, watching
from loancrm.kernel.access import system_actor
from loancrm.kernel.roles import ensure_roles
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
HEADERS = {"Accept-Language": "zh-hans"}


@pytest.fixture
def client_of(db):
    ensure_roles()

    def signed_in(role):
        user = User.objects.create_user(f"{role}-1", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client(headers=HEADERS)
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def warned(db, now):
    """Return somebody whose first payment is missed."""
    rules.ensure_rules()
    (person,) = make_people(1)
    lend(person)
    watching.watch_people(actor=system_actor("job:test"), customer_ids=[person.pk], now=now)
    return person


def _page(client, person):
    return client.get(reverse("admin:customers_customer_change", args=[person.pk])).content.decode()


def _timeline(client, person, **query):
    address = reverse("admin:customers_customer_timeline", args=[person.pk])
    return client.get(address, query).content.decode()


@pytest.mark.parametrize("role", ["analyst", "compliance"])
def test_the_page_of_a_person_shows_the_open_alert_in_words(client_of, warned, role):
    client = client_of(role)
    piece = reverse("warning:customer", args=[warned.pk])
    assert f'hx-get="{piece}"' in _page(client, warned)
    text = client.get(piece).content.decode()
    for words in ("首期未还", "首期已逾期 12 天。", "持续中", "该客户不会收到任何营销信息"):
        assert words in text
    alert = RiskAlert.objects.get(rule__signal="first_payment_missed")
    assert reverse("warning:case", args=[alert.case.pk]) in text
    assert "first_payment_missed" not in text


def test_the_timeline_tells_when_an_alert_began_and_ended(client_of, warned, now):
    client = client_of("analyst")
    begun = _timeline(client, warned, kind="alert")
    for words in ("发出预警", "首期未还", "首期已逾期 12 天。"):
        assert words in begun
    assert "预警结束" not in begun
    RiskAlert.objects.update(ended_at=now)
    ended = _timeline(client, warned)
    assert ended.index("预警结束") < ended.index("发出预警")


@pytest.mark.parametrize("role", ["marketer", "steward"])
def test_who_may_not_see_risk_sees_no_alert_anywhere(client_of, warned, role):
    client = client_of(role)
    piece = reverse("warning:customer", args=[warned.pk])
    page = _page(client, warned)
    assert piece not in page
    assert 'value="alert"' not in page
    assert client.get(piece).status_code == 403
    assert "首期未还" not in _timeline(client, warned, kind="alert")
    api = reverse("api:customer-timeline", args=[warned.public_id])
    assert all(entry["kind"] != "alert" for entry in client.get(api).json()["results"])


def test_who_sees_risk_reads_alerts_through_the_api_too(client_of, warned):
    api = reverse("api:customer-timeline", args=[warned.public_id])
    entries = client_of("analyst").get(api, {"kind": "alert"}).json()["results"]
    assert {entry["name"] for entry in entries} == {"alert_opened"}


def test_a_person_without_alerts_says_so(client_of):
    (person,) = make_people(1)
    piece = reverse("warning:customer", args=[person.pk])
    assert "尚无规则发现该客户的问题" in client_of("analyst").get(piece).content.decode()
