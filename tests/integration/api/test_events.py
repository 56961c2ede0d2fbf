"""Events and conversions: only of one's own leads, each once, only what a partner can know."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from campaigns.services.partners import contracts
from customers.models import Customer, Event
from loancrm.kernel import clock
from tests.partner_client import ACTOR, PartnerClient, lead

pytestmark = pytest.mark.sql

AT = "2026-02-03T04:05:06+08:00"


def _event(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"E{number}",
        "event": "application_started",
        "occurred_at": AT,
        "reference": "L1",
    } | fields


@pytest.fixture
def lead_id(acme: PartnerClient) -> str:
    return str(acme.post("leads", lead(1), key="lead").json()["lead_id"])


def _reported() -> list[Event]:
    return list(
        Event.objects.exclude(type__name="lead_captured")
        .exclude(source="lifecycle")
        .select_related("type")
        .order_by("pk")
    )


def test_an_event_of_a_lead_enters_the_log_once(acme: PartnerClient, lead_id: str) -> None:
    content = _event(1, amount=1234.5, channel="web", subject="cash-loan", properties={"step": 2})

    first = acme.post("events", content)
    again = acme.post("events", _event(1, lead_id=lead_id))

    assert (first.status_code, first.json()) == (201, {"id": "E1", "status": "accepted"})
    assert (again.status_code, again.json()) == (200, {"id": "E1", "status": "duplicate"})
    (event,) = _reported()
    assert (event.type.name, event.source, event.channel, event.subject) == (
        "application_started",
        "partner:acme",
        "web",
        "cash-loan",
    )
    assert event.amount == Decimal("1234.50")
    assert event.occurred_at.isoformat() == "2026-02-02T20:05:06+00:00"
    assert event.properties == {"step": 2}


@pytest.mark.parametrize(
    ("_case", "fields", "code"),
    [
        ("the lender's own fact", {"event": "loan_disbursed"}, "event_not_reportable"),
        ("an unknown name", {"event": "made_up"}, "event_not_reportable"),
        ("tomorrow", {"occurred_at": "2999-01-01T00:00:00Z"}, "time_implausible"),
        ("the year one", {"occurred_at": "0001-01-01T00:00:00+14:00"}, "time_implausible"),
        ("not a number", {"amount": "NaN"}, "amount_invalid"),
        ("endless", {"amount": "1e400"}, "amount_invalid"),
        ("negative", {"amount": -1}, "amount_invalid"),
        ("no lead", {"reference": ""}, "lead_missing"),
        ("NUL", {"properties": {"a": "\x00"}}, "properties_invalid"),
        ("huge", {"properties": {"a": "x" * 5000}}, "properties_invalid"),
    ],
)
def test_an_event_that_cannot_be_believed_is_refused(
    acme: PartnerClient, lead_id: str, _case: str, fields: dict[str, Any], code: str
) -> None:
    response = acme.post("events", _event(1, **fields))

    assert response.status_code == 422
    assert [error["code"] for error in response.json()["errors"]] == [code]
    assert _reported() == []


def test_a_time_without_zone_is_malformed(acme: PartnerClient, lead_id: str) -> None:
    response = acme.post("events", _event(1, occurred_at="2026-02-03T04:05:06"))

    assert response.status_code == 400
    assert "occurred_at" in response.json()["detail"]


@pytest.mark.parametrize("named_by", ["lead_id", "reference"])
def test_another_partners_lead_does_not_exist(
    acme: PartnerClient, bolt: PartnerClient, lead_id: str, named_by: str
) -> None:
    name = {"lead_id": lead_id, "reference": ""} if named_by == "lead_id" else {}

    event = bolt.post("events", _event(1, **name))
    bulk = bolt.post("events/bulk", {"events": [_event(1, **name)]})
    conversion = bolt.post(
        "conversions", {"conversion_id": "C1", "occurred_at": AT, "reference": "L1"} | name
    )

    assert (event.status_code, event.json()["code"]) == (404, "lead_not_found")
    assert (conversion.status_code, conversion.json()["code"]) == (404, "lead_not_found")
    assert bulk.json()["results"][0]["errors"][0]["code"] == "lead_not_found"
    assert _reported() == []


def test_a_duplicate_lead_takes_no_events(
    acme: PartnerClient, bolt: PartnerClient, lead_id: str
) -> None:
    bolt.post("leads", lead(1, reference="B1"), key="b")

    response = bolt.post("events", _event(1, reference="B1"))

    assert response.json()["errors"][0]["code"] == "lead_is_duplicate"
    assert _reported() == []


def test_two_partners_event_ids_do_not_meet(acme: PartnerClient, bolt: PartnerClient) -> None:
    acme.post("leads", lead(1), key="a")
    bolt.post("leads", lead(2, reference="L1"), key="b")

    assert acme.post("events", _event(1)).status_code == 201
    assert bolt.post("events", _event(1)).status_code == 201


def test_a_bulk_call_of_events_answers_by_index(acme: PartnerClient, lead_id: str) -> None:
    items = [
        _event(1),
        _event(2, event="made_up"),
        _event(1),
        _event(3, reference="L404"),
        {"event_id": "E4"},
        _event(5, event="page_viewed", properties={}),
    ]

    reply = acme.post("events/bulk", {"events": items}).json()

    assert [item["status"] for item in reply["results"]] == [
        "accepted",
        "rejected",
        "duplicate",
        "rejected",
        "rejected",
        "accepted",
    ]
    assert [event.type.name for event in _reported()] == ["application_started", "page_viewed"]


def test_the_queries_of_a_bulk_call_of_events_are_a_fixed_number(
    acme: PartnerClient, lead_id: str
) -> None:
    acme.post("events", _event(99, event="page_viewed"))
    counts = []
    for start, size in ((0, 2), (100, 60)):
        items = [_event(start + number, event="page_viewed") for number in range(size)]
        with CaptureQueriesContext(connection) as queries:
            acme.post("events/bulk", {"events": items}, key=f"k{start}")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 30
    assert len(_reported()) == 63


def test_a_conversion_carries_the_loan_amount_and_a_shared_campaign(
    acme: PartnerClient, lead_id: str
) -> None:
    campaign = _campaign("spring")
    content = {
        "conversion_id": "C1",
        "occurred_at": AT,
        "lead_id": lead_id,
        "amount": "20000",
        "campaign": "spring",
        "event": "loan_disbursed",
    }
    refused = acme.post("conversions", content)
    contracts.share(actor=ACTOR, partner=acme.partner, shared=campaign, now=clock.now())

    response = acme.post("conversions", content)
    again = acme.post("conversions", content)

    assert (refused.status_code, refused.json()["code"]) == (404, "campaign_not_found")
    assert (response.status_code, again.status_code) == (201, 200)
    (event,) = _reported()
    assert (event.type.name, event.subject, event.amount) == (
        "loan_disbursed",
        "spring",
        Decimal("20000.00"),
    )


def test_a_conversion_is_reported_as_such_by_default(acme: PartnerClient, lead_id: str) -> None:
    acme.post("conversions", {"conversion_id": "C1", "occurred_at": AT, "reference": "L1"})

    assert [event.type.name for event in _reported()] == ["conversion_reported"]


def _campaign(slug: str) -> Campaign:
    return Campaign.objects.create(
        slug=slug,
        name=slug,
        goal_event="application_submitted",
        created_at=clock.now(),
        updated_at=clock.now(),
    )


def _told(client: PartnerClient) -> tuple[list[Any], list[Any]]:
    log = Event.objects.filter(source=client.partner.source).order_by("dedup_key")
    stages = Customer.objects.order_by("pk").values_list("lifecycle_stage", flat=True)
    rows = log.values_list("dedup_key", "type__name", "occurred_at", "subject")
    return list(rows), list(stages)


def test_a13_ten_thousand_events_shuffled_and_repeated_give_the_same_state(
    acme: PartnerClient,
) -> None:
    acme.post("leads/bulk", {"leads": [lead(number) for number in range(7)]}, key="leads")
    names = ("app_login", "page_viewed", "application_started", "application_submitted")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    told = [
        _event(
            number,
            event=names[number % len(names)],
            reference=f"L{number % 7}",
            occurred_at=(start + timedelta(minutes=number)).isoformat(),
        )
        for number in range(10_000)
    ]
    for first in range(0, len(told), 1_000):
        acme.post("events/bulk", {"events": told[first : first + 1_000]})
    expected = _told(acme)
    Event.objects.exclude(type__name="lead_captured").delete()
    Customer.objects.update(lifecycle_stage="lead")

    rng = random.Random(13)
    repeated = [*told, *rng.sample(told, 1_500)]
    rng.shuffle(repeated)
    statuses: Counter[str] = Counter()
    for first in range(0, len(repeated), 1_000):
        answer = acme.post("events/bulk", {"events": repeated[first : first + 1_000]})
        statuses.update(item["status"] for item in answer.json()["results"])

    assert len(expected[0]) == 10_000 + 7
    assert _told(acme) == expected
    assert statuses == {"accepted": 10_000, "duplicate": 1_500}
