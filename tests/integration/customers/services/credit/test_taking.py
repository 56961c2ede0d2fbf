"""Credit facts come in, become attributes, and go when they may not be used any more."""

import csv
from datetime import timedelta
from decimal import Decimal

import pytest

from customers.domain.credit.rows import CreditKind
from customers.domain.fields.catalogue import DataClass, RuleUse
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    BureauPull,
    Customer,
    DataSource,
    Tradeline,
    VendorValue,
)
from customers.selectors.segments.catalogue import load_catalogue
from customers.services.credit import taking
from customers.services.credit.attributes import refresh_credit_attributes
from customers.services.events.from_file import RowsRefused
from customers.services.identity import merging
from loancrm.kernel.access import Actor, ActorKind, PermissionRefused
from loancrm.kernel.models import AuditEntry
from tests.factories.links import make_linked

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def pull(**fields):
    return {
        "external_id": "p1",
        "customer_id": "c1",
        "purpose": "credit_review",
        "consent_reference": "K-77",
        "pulled_on": "2026-01-05",
        "valid_until": "2026-06-30",
        "vendor": "pboc",
    } | fields


def line(**fields):
    return {
        "external_id": "t1",
        "pull_id": "p1",
        "opened_on": "2020-01-15",
        "limit_amount": "10000",
        "balance_amount": "9300",
        "max_dpd_days": "31",
    } | fields


def flow(**fields):
    return {
        "external_id": "f1",
        "customer_id": "c1",
        "kind": "income",
        "monthly_amount": "8000",
        "valid_from": "2025-01-01",
    } | fields


def bought(**fields):
    return {
        "external_id": "v1",
        "customer_id": "c1",
        "name": "income_index",
        "value": "61.5",
        "obtained_on": "2026-01-01",
        "valid_until": "2026-04-30",
        "vendor": "shop",
    } | fields


@pytest.fixture
def people(db):
    return list(make_linked(("c1", "c2"), source="core").values())


@pytest.fixture
def take_in(actor, now, people):
    def run(kind, *rows):
        return taking.receive_credit_facts(
            actor=actor, kind=CreditKind(kind), rows=rows, source="core", now=now
        )

    return run


def shown(customer):
    rows = AttributeValue.objects.filter(customer=customer).select_related("definition")
    return {row.definition.name: row.text if row.number is None else row.number for row in rows}


def test_a_report_becomes_measures_for_risk_alone(take_in, people):
    take_in("pulls", pull())
    take_in("tradelines", line())
    take_in(
        "inquiries",
        {"external_id": "i1", "pull_id": "p1", "inquired_on": "2026-02-10"},
        {"external_id": "i2", "pull_id": "p1", "inquired_on": "2025-01-01"},
    )
    assert shown(people[0]) == {
        "bureau_open_count": 1,
        "bureau_utilisation": Decimal("0.93"),
        "bureau_max_dpd_days": 31,
        "bureau_recent_inquiries": 1,
        "bureau_file_age_months": 73,
    }
    fields = load_catalogue().fields
    assert {fields[f"attribute.{name}"].data_class for name in shown(people[0])} == {
        DataClass.RISK_ONLY
    }
    for use in (RuleUse.MARKETING, RuleUse.CREDIT_OFFER):
        assert "attribute.bureau_utilisation" not in load_catalogue().for_use(use).fields


def test_a_report_for_marketing_feeds_marketing_and_no_other_does(take_in, people):
    take_in("pulls", pull(), pull(external_id="p2", purpose="marketing", pulled_on="2026-01-06"))
    take_in("tradelines", line(), line(external_id="t2", pull_id="p2", balance_amount="100"))
    found = shown(people[0])
    assert found["bureau_utilisation"] == Decimal("0.93")
    assert found["marketing_bureau_utilisation"] == Decimal("0.01")
    usable = load_catalogue().for_use(RuleUse.MARKETING).fields
    assert "attribute.marketing_bureau_utilisation" in usable


def test_the_newest_report_in_use_counts(take_in, people, actor, now):
    take_in(
        "pulls", pull(), pull(external_id="p2", pulled_on="2026-03-01", valid_until="2026-03-10")
    )
    take_in("tradelines", line(), line(external_id="t2", pull_id="p2", max_dpd_days="0"))
    assert shown(people[0])["bureau_max_dpd_days"] == 0
    refresh_credit_attributes(actor=actor, now=now + timedelta(days=10))
    assert shown(people[0])["bureau_max_dpd_days"] == 31


def test_incomes_and_obligations_become_ratios(take_in, people, actor, now):
    take_in("flows", flow(), flow(external_id="f2", kind="obligation", monthly_amount="2000"))
    assert shown(people[0]) == {
        "income_monthly": 8000,
        "obligations_monthly": 2000,
        "disposable_monthly": 6000,
        "dti": Decimal("0.25"),
    }
    take_in("flows", flow(monthly_amount="0"))
    assert shown(people[0]) == {
        "income_monthly": 0,
        "obligations_monthly": 2000,
        "disposable_monthly": -2000,
    }


def test_a_value_that_has_run_out_is_not_used(take_in, people, actor, now):
    take_in("vendor_values", bought(), bought(external_id="v2", customer_id="c2", value="高"))
    assert shown(people[0]) == {"vendor_risk_income_index": Decimal("61.5")}
    assert shown(people[1]) == {"vendor_risk_income_index_text": "高"}
    done = refresh_credit_attributes(actor=actor, now=now.replace(month=5))
    assert (done.customer_count, done.removed) == (2, 2)
    assert shown(people[0]) == shown(people[1]) == {}
    assert VendorValue.objects.count() == 2


@pytest.mark.parametrize(
    "terms", [{"is_active": False}, {"valid_until": "2026-01-01"}, {"valid_from": "2027-01-01"}]
)
def test_a_vendor_that_is_off_feeds_nothing_until_it_is_on_again(
    take_in, people, actor, now, terms
):
    shop = DataSource.objects.create(name="shop", kind="vendor", created_at=now)
    take_in("vendor_values", bought())
    take_in("pulls", pull(vendor="shop"))
    take_in("tradelines", line())
    before = shown(people[0])
    assert "vendor_income_index" in before
    assert "bureau_open_count" in before
    DataSource.objects.filter(pk=shop.pk).update(**terms)
    refresh_credit_attributes(actor=actor, now=now)
    assert shown(people[0]) == {}
    DataSource.objects.filter(pk=shop.pk).update(is_active=True, valid_until=None, valid_from=None)
    refresh_credit_attributes(actor=actor, now=now)
    assert shown(people[0]) == before


def test_a_vendor_whose_contract_leaves_out_marketing_feeds_risk_alone(take_in, people, now):
    DataSource.objects.create(name="shop", kind="vendor", purposes=["service"], created_at=now)
    take_in("vendor_values", bought())
    assert AttributeDefinition.objects.get(name="vendor_risk_income_index").is_risk_only


def test_rows_are_found_again_and_wrong_ones_told_by_place(take_in, people):
    first = take_in("pulls", pull(), pull(external_id="p2", customer_id="nobody"), pull(purpose=""))
    assert (first.created, first.rejected) == (1, 2)
    assert first.rejected_lines == ((1, "person_unknown"), (2, "purpose_invalid"))
    again = take_in("pulls", pull(), pull(cost_amount="3.5"))
    assert (again.unchanged, again.updated) == (1, 1)
    taken = take_in("pulls", pull(customer_id="c2"))
    assert taken.by_reason == {"repeated_in_file": 1}
    assert BureauPull.objects.get().customer == people[0]
    assert take_in("tradelines", line(pull_id="p9")).by_reason == {"pull_unknown": 1}


def test_a_file_is_imported_and_told_by_its_lines(actor, now, people, tmp_path):
    path = tmp_path / "flows.csv"
    rows = [flow(), flow(external_id="f2", customer_id="c9"), flow(external_id="f3", share="2")]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[2]))
        writer.writeheader()
        writer.writerows(rows)
    done = taking.import_credit_facts(
        actor=actor, path=path, kind=CreditKind.FLOWS, source="core", now=now
    )
    assert (done.rows, done.created, done.rejected) == (3, 1, 2)
    assert done.rejected_lines == ((3, "person_unknown"), (4, "share_invalid"))
    entry = AuditEntry.objects.get(action="credit_facts.import")
    assert entry.facts["rejected"] == 2
    with pytest.raises(RowsRefused):
        taking.import_credit_facts(
            actor=actor, path=tmp_path / "none.csv", kind=CreditKind.FLOWS, source="core", now=now
        )


def test_who_follows_changes_sees_the_person_again(take_in, people, now):
    take_in("flows", flow())
    assert Customer.objects.get(pk=people[0].pk).updated_at == now


@pytest.mark.parametrize("count", [1, 40])
def test_the_number_of_queries_depends_on_nothing(actor, now, django_assert_max_num_queries, count):
    make_linked((f"d{number}" for number in range(count)), source="core")
    rows = [flow(external_id=f"f{n}", customer_id=f"d{n}") for n in range(count)]
    with django_assert_max_num_queries(38):
        taking.receive_credit_facts(
            actor=actor, kind=CreditKind.FLOWS, rows=rows, source="core", now=now
        )


def test_reports_follow_a_merge(take_in, people, actor, now):
    take_in("pulls", pull(customer_id="c2"))
    take_in("tradelines", line())
    merging.merge(actor=actor, kept_id=people[0].pk, other_id=people[1].pk, now=now)
    assert BureauPull.objects.get().customer == people[0]
    refresh_credit_attributes(actor=actor, now=now)
    assert shown(people[0])["bureau_max_dpd_days"] == 31
    assert Tradeline.objects.count() == 1


def test_nobody_without_the_permission_hands_anything_in(now, people):
    nobody = Actor(kind=ActorKind.USER, id="0", label="nobody")
    with pytest.raises(PermissionRefused):
        taking.receive_credit_facts(
            actor=nobody, kind=CreditKind.PULLS, rows=[pull()], source="core", now=now
        )
    assert not BureauPull.objects.exists()
