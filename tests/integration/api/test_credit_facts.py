"""Credit facts that the lender's own systems hand in."""

import pytest

from campaigns.domain.partners.contract import TokenScope
from campaigns.services.partners.contracts import ScopeRefused
from customers.domain.sources import SourceKind
from customers.models import AttributeValue, IncomeFlow
from tests.factories.links import make_linked
from tests.partner_client import new_partner

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def core(db):
    return new_partner("core", kind=SourceKind.OWN_SYSTEM)


@pytest.fixture
def person(core):
    return make_linked(["c1"], source=core.partner.data_source.name)["c1"]


def row(**fields):
    return {
        "external_id": "f1",
        "customer_id": "c1",
        "kind": "income",
        "monthly_amount": 8000,
        "valid_from": "2025-01-01",
        "is_verified": True,
    } | fields


def call(*rows):
    return {"kind": "flows", "rows": list(rows)}


def test_good_rows_are_stored_and_others_refused_by_their_place(core, person):
    answer = core.post("credit-facts", call(row(customer_id="c9"), row(), row(share="0")))
    assert answer.status_code == 200
    reply = answer.json()
    assert {name: reply[name] for name in ("received", "created", "rejected")} == {
        "received": 3,
        "created": 1,
        "rejected": 2,
    }
    assert [(item["index"], item["code"]) for item in reply["refusals"]] == [
        (0, "person_unknown"),
        (2, "share_invalid"),
    ]
    assert all(item["detail"] for item in reply["refusals"])
    assert IncomeFlow.objects.get().is_verified
    assert AttributeValue.objects.get(definition__name="income_monthly").customer == person
    assert core.post("credit-facts", call(row())).json()["unchanged"] == 1


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "gossip", "rows": [row()]},
        {"kind": "flows", "rows": []},
        {"kind": "flows", "rows": [row()] * 501},
        {"kind": "flows", "rows": [{"share": [1]}]},
    ],
    ids=["kind", "empty", "too many", "shape"],
)
def test_a_call_of_another_shape_is_refused_whole(core, person, content):
    answer = core.post("credit-facts", content)
    assert answer.status_code == 400
    assert not IncomeFlow.objects.exists()


def test_another_company_never_hands_them_in(person):
    acme = new_partner("acme")
    assert TokenScope.CREDIT_WRITE not in acme.partner.scopes
    answer = acme.post("credit-facts", call(row()))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    with pytest.raises(ScopeRefused):
        new_partner("bolt", scopes=[TokenScope.CREDIT_WRITE])
