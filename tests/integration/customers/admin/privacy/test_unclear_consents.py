"""The list of unclear consents: masked, in words, decided by compliance."""

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from customers.models import ConsentRecord, ConsentState, UnclearConsent
from loancrm.kernel import roles
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LIST = "admin:customers_unclearconsent_changelist"


@pytest.fixture
def row(now: datetime) -> UnclearConsent:
    customer = make_people(1)[0]
    ConsentState.objects.filter(customer=customer, channel="sms").delete()
    key = {"customer": customer, "channel": "sms", "purpose": "marketing"}
    ConsentRecord.objects.create(
        **key, is_granted=True, policy_version="v2", source="core", at=now, recorded_at=now
    )
    ConsentState.objects.create(**key, is_granted=False, source="core", changed_at=now)
    return UnclearConsent.objects.create(**key, source="core", evidence="import:7:12", ended_at=now)


def client_of(role: str, language: str = "en") -> Client:
    roles.ensure_roles()
    user = User.objects.create_user(role, is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(row: UnclearConsent) -> str:
    return reverse("admin:customers_unclearconsent_change", args=[row.pk])


def test_g1_compliance_finds_the_list_and_puts_a_consent_back(row: UnclearConsent) -> None:
    client = client_of("compliance")
    listed = client.get(reverse(LIST)).content.decode()
    assert "to be asked" in listed
    page = client.get(address(row)).content.decode()
    assert "Import 7, line 12" in page
    assert "客户1" not in page
    answer = client.post(address(row), {"decision": "granted", "reason": "asked the branch"})
    assert answer["Location"] == reverse(LIST)
    state = ConsentState.objects.get(customer=row.customer, channel="sms", purpose="marketing")
    assert state.is_granted
    assert "it was a consent" in client.get(reverse(LIST)).content.decode()


def test_g1_without_a_reason_nothing_is_decided(row: UnclearConsent) -> None:
    client = client_of("compliance")
    page = client.post(address(row), {"decision": "granted"}, follow=True).content.decode()
    assert "Write down whom you asked" in page
    assert UnclearConsent.objects.get().decision == ""


def test_g1_a_marketer_sees_the_list_and_decides_nothing(row: UnclearConsent) -> None:
    client = client_of("marketer", "zh-hans")
    page = client.get(address(row)).content.decode()
    assert "由合规人员判断其含义" in page
    assert 'name="decision"' not in page
    client.post(address(row), {"decision": "granted", "reason": "because"})
    assert UnclearConsent.objects.get().decision == ""


def test_an_empty_list_says_what_will_be_there(db: None) -> None:
    page = client_of("compliance").get(reverse(LIST)).content.decode()
    assert "No consent is unclear" in page
