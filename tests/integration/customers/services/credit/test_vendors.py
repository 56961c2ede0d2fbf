"""What a vendor sold is used by its description from the moment that this is stored."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from customers.domain.credit.rows import CreditKind
from customers.models import AttributeValue, Customer, DataSource
from customers.services.credit import attributes, taking, vendors
from customers.services.sources.registry import SourceTermsRefused
from loancrm.kernel.access import Actor, ActorKind, PermissionRefused
from loancrm.kernel.models import AuditEntry
from tests.factories.links import make_linked
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def value_row(key, vendor, value, *, customer="c1", obtained="2026-01-05"):
    return {
        "external_id": key, "customer_id": customer, "name": "income_index", "value": value,
        "obtained_on": obtained, "valid_until": "2026-12-31", "vendor": vendor,
    }  # fmt: skip


def pull_row(key, vendor, *, customer="c1", on="2026-01-05"):
    return {
        "external_id": key, "customer_id": customer, "purpose": "credit_review",
        "consent_reference": "K", "pulled_on": on, "valid_until": "2026-12-31", "vendor": vendor,
    }  # fmt: skip


def line_row(key, pull, dpd):
    return {
        "external_id": key, "pull_id": pull, "opened_on": "2020-01-15", "limit_amount": "10000",
        "balance_amount": "5000", "max_dpd_days": dpd,
    }  # fmt: skip


def fill(actor, now):
    """Two vendors sell the same value of one person and a report each; one of another person."""
    make_linked(("c1", "c2"), source="core")
    for name in ("shop", "bank"):
        DataSource.objects.create(
            name=name, kind="vendor", contract="K-1", created_at=now,
            valid_until=now.date() + timedelta(days=300),
        )  # fmt: skip
    for kind, rows in (
        (
            "vendor_values",
            [
                value_row("v1", "bank", "50", obtained="2026-01-04"),
                value_row("v2", "shop", "70"),
                value_row("v3", "shop", "80", customer="c2"),
            ],
        ),
        ("pulls", [pull_row("p1", "bank", on="2026-01-04"), pull_row("p2", "shop")]),
        ("tradelines", [line_row("t1", "p1", "9"), line_row("t2", "p2", "31")]),
    ):
        taking.receive_credit_facts(
            actor=actor, kind=CreditKind(kind), rows=rows, source="core", now=now
        )


def shown(key):
    rows = AttributeValue.objects.filter(customer__external_id=key)
    names = ("vendor_income_index", "vendor_risk_income_index", "bureau_max_dpd_days")
    found = rows.filter(definition__name__in=names)
    return dict(found.values_list("definition__name", "number"))


def save(actor, now, **changes):
    source = DataSource.objects.get(name="shop")
    for name, value in changes.items():
        setattr(source, name, value)
    return vendors.save_vendor_source(actor=actor, source=source, now=now)


@pytest.mark.parametrize("how", ["is_active", "valid_until"])
def test_a_vendor_that_is_off_is_unused_at_once_and_others_take_its_place(actor, now, how):
    fill(actor, now)
    assert shown("c1") == {"vendor_income_index": 70, "bureau_max_dpd_days": 31}
    later = now + timedelta(hours=1)
    off = False if how == "is_active" else now.date() - timedelta(days=1)

    save(actor, later, **{how: off})

    assert shown("c1") == {"vendor_income_index": 50, "bureau_max_dpd_days": 9}
    assert shown("c2") == {}
    assert Customer.objects.get(external_id="c2").updated_at == later
    assert AuditEntry.objects.filter(action="datasource.changed").count() == 1
    back = {"is_active": True} if how == "is_active" else {"valid_until": later.date()}
    save(actor, later, **back)
    assert shown("c1") == {"vendor_income_index": 70, "bureau_max_dpd_days": 31}


def test_it_is_unused_before_anything_else_is_derived(actor, now, monkeypatch):
    """The very commit that switches it off takes away what it sold."""
    fill(actor, now)
    monkeypatch.setattr(vendors, "_derive", lambda names, now: None)
    save(actor, now, is_active=False)
    assert shown("c1") == shown("c2") == {}


def test_what_may_no_longer_be_used_for_marketing_is_for_risk_only_at_once(actor, now):
    fill(actor, now)
    save(actor, now, purposes=["service"])
    assert shown("c2") == {"vendor_risk_income_index": Decimal(80)}


def test_another_change_touches_nobody(actor, now):
    fill(actor, now)
    before = Customer.objects.get(external_id="c2").updated_at
    save(actor, now + timedelta(hours=1), title="A shop")
    assert Customer.objects.get(external_id="c2").updated_at == before


def test_what_is_refused_changes_nothing(actor, now):
    fill(actor, now)
    nobody = Actor(kind=ActorKind.USER, id="0", label="nobody")
    with pytest.raises(PermissionRefused):
        save(nobody, now, is_active=False)
    with pytest.raises(SourceTermsRefused):
        save(actor, now, is_active=False, contract="")
    assert shown("c2") == {"vendor_income_index": 80}


def test_the_page_of_a_source_switches_it_off_at_once(actor, now, admin_user):
    fill(actor, now)
    client = Client()
    client.force_login(admin_user)
    source = DataSource.objects.get(name="shop")
    address = reverse("admin:customers_datasource_change", args=[source.pk])
    form = client.get(address).context["adminform"].form
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    data.pop("is_active")
    assert client.post(address, data).status_code == 302
    assert shown("c2") == {}


@pytest.mark.django_db(transaction=True)
def test_a_kill_after_any_commit_is_healed_by_the_hourly_refresh(actor, now, monkeypatch):
    monkeypatch.setattr(vendors, "_BATCH", 1)
    monkeypatch.setattr(attributes, "_BATCH", 1)

    def work():
        save(actor, now, is_active=False)
        attributes.refresh_credit_attributes(actor=actor, now=now)

    assert_kills_leave_no_trace(
        lambda: fill(actor, now),
        work,
        commits=4,
        # Stamped by the database, as is the end of a value that is removed.
        ignored={
            "customers.BureauPull.changed_at",
            "customers.Tradeline.changed_at",
            "customers.PastAttribute.ended_at",
        },
    )
