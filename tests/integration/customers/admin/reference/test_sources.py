"""The register of data sources in the admin."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from customers.models import DataSource
from loancrm.kernel import clock, roles
from loancrm.kernel.models import AuditEntry
from tests.factories.sources import make_source

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LIST = "admin:customers_datasource_changelist"
ADD = "admin:customers_datasource_add"


def _client(role: str, language: str = "en") -> Client:
    roles.ensure_roles()
    user = User.objects.create_user(role, is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _form(**changes):
    until = clock.today() + timedelta(days=90)
    return {
        "name": "acme",
        "title": "Acme Data",
        "kind": "vendor",
        "contract": "V-7",
        "purposes": ["marketing"],
        "valid_until": until.isoformat(),
        "is_active": "on",
        **changes,
    }


def test_s65_compliance_describes_a_source_and_it_is_audited():
    client = _client("compliance")

    answer = client.post(reverse(ADD), _form())

    assert answer.status_code == 302
    source = DataSource.objects.get()
    assert (source.title, source.purposes, source.created_at.date()) == (
        "Acme Data",
        ["marketing"],
        clock.now().date(),
    )
    assert AuditEntry.objects.get(action="datasource.added").actor_label == "compliance"


def test_s65_a_vendor_without_contract_is_refused_at_the_field():
    client = _client("compliance", "zh-hans")

    page = client.post(reverse(ADD), _form(contract="", valid_until="")).content.decode()

    assert "数据供应商必须填写合同编号。" in page
    assert "数据供应商的合同必须填写截止日期。" in page
    assert not DataSource.objects.exists()


def test_s65_a_name_stays_and_nothing_is_deleted():
    source = make_source("acme", valid_until=clock.today())
    client = _client("compliance")

    client.post(
        reverse("admin:customers_datasource_change", args=[source.pk]),
        _form(name="other", purposes=["service"]),
    )
    gone = client.post(reverse("admin:customers_datasource_delete", args=[source.pk]))

    source.refresh_from_db()
    assert (source.name, source.purposes) == ("acme", ["service"])
    assert gone.status_code == 403


def test_s65_the_list_warns_of_an_early_end_and_of_what_nobody_described():
    make_source("soon", valid_until=clock.today() + timedelta(days=12))
    make_source("gone", valid_until=clock.today() - timedelta(days=1))
    make_source("met", kind="unregistered")

    page = _client("analyst").get(reverse(LIST)).content.decode()

    assert "ends in 12 days" in page
    assert "the contract has ended" in page
    assert "in use, not described yet" in page


def test_s65_who_may_not_keep_the_register_only_looks():
    client = _client("marketer")

    assert client.get(reverse(LIST)).status_code == 200
    assert client.post(reverse(ADD), _form()).status_code == 403


def test_the_empty_list_offers_the_first_source_to_those_who_may_describe_it():
    assert reverse(ADD) in _client("compliance").get(reverse(LIST)).text
    page = _client("marketer").get(reverse(LIST)).text
    assert "No data source yet" in page
    assert reverse(ADD) not in page
