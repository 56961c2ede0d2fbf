"""Credit decisions that the lender's own systems read: limit, price and reasons."""

import pytest

from analytics.models import CreditDecision, DecisionReview, PolicyVersion
from analytics.services.credit.policies import digest_of
from customers.domain.sources import SourceKind
from customers.models import Application
from tests.factories.people import make_people
from tests.golden.credit import POLICY
from tests.partner_client import new_partner

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def core(db):
    return new_partner("core", kind=SourceKind.OWN_SYSTEM)


@pytest.fixture
def decide(now):
    version = PolicyVersion.objects.create(
        number=3, content=POLICY, digest=digest_of(POLICY), state="active", proposed_at=now
    )
    people = iter(make_people(5))

    def run(key, **columns):
        person = next(people)
        application = Application.objects.create(
            source="bank", external_id=key, customer=person, submitted_at=now, amount=9000
        )
        return CreditDecision.objects.create(
            customer=person, application=application, policy=version, decided_at=now, **columns
        )

    return run


GRANTED = {
    "outcome": "approved", "final_outcome": "approved", "final_band": "A", "final_rate": "0.08",
    "final_limit_amount": 9000, "reasons": [],
}  # fmt: skip
DECLINED = {
    "outcome": "declined", "final_outcome": "declined",
    "reasons": ["past_due_now", "charged_off_before"],
}  # fmt: skip


def test_what_is_granted_has_limit_and_price_and_what_is_declined_its_reasons(core, decide, now):
    decide("A1", **GRANTED)
    lost = decide("A2", **DECLINED)
    DecisionReview.objects.create(
        decision=lost, customer=lost.customer, kind="contest", requested_at=now
    )
    decide("A3", outcome="review", reasons=["score_too_old"])
    results = core.get("credit-decisions").json()["results"]
    assert [(r["application"], r["outcome"], r["is_contested"]) for r in results] == [
        ("A3", "review", False),
        ("A2", "declined", True),
        ("A1", "approved", False),
    ]
    assert results[2]["terms"] == {"band": "A", "annual_rate": "0.08", "limit_amount": "9000.00"}
    assert results[1]["terms"] is None
    assert [reason["code"] for reason in results[1]["reasons"]] == DECLINED["reasons"]
    assert all(reason["text"] for reason in results[1]["reasons"])
    assert (results[2]["policy_version"], results[2]["source"]) == (3, "bank")


def test_one_application_is_found_by_its_id_and_pages_go_on(core, decide):
    for key in ("A1", "A2", "A3"):
        decide(key, **DECLINED)
    one = core.get("credit-decisions?source=bank&application=A2").json()
    assert [r["application"] for r in one["results"]] == ["A2"]
    assert core.get("credit-decisions?source=shop&application=A2").json()["results"] == []
    first = core.get("credit-decisions?limit=2").json()
    rest = core.get(f"credit-decisions?limit=2&cursor={first['next_cursor']}").json()
    assert [r["application"] for r in first["results"] + rest["results"]] == ["A3", "A2", "A1"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("count", [1, 4])
def test_a_page_costs_the_same_however_long_it_is(core, decide, count, django_assert_num_queries):
    for number in range(count):
        decide(f"A{number}", **DECLINED)
    core.get("credit-decisions")
    # The client, the system's kind, the decisions and their reviews.
    with django_assert_num_queries(5):
        core.get("credit-decisions")


def test_no_other_company_reads_decisions(decide):
    acme = new_partner("acme")
    assert "decisions:read" not in acme.partner.scopes
    assert acme.get_token(scope="decisions:read").json()["code"] == "invalid_scope"
    assert acme.get("credit-decisions").status_code == 403
