"""Values that only some databases refuse, in every field that partners fill in: never a 500.

A call is answered with what is wrong or taken as a whole, and takes no good neighbour along.
"""

import base64
from typing import Any

import pytest
from django.test import Client

from campaigns.models import PartnerLead
from customers.models import Customer, Event
from loancrm.kernel import clock
from tests.partner_client import ROOT, PartnerClient, lead

pytestmark = pytest.mark.sql

TEXTS: dict[str, Any] = {
    "nul": "a\x00b",
    "half a character": "a\ud800",
    "control characters": "a\x01\x1f\x7f\u200f",
    "outside the first plane": "\U0001f600" * 40,
    "long": "x" * 5_000,
    "very long": "9" * 100_000,
    "number beyond bigint": 10**40,
    "infinite": float("inf"),
    "no number": float("nan"),
    "list": ["x"],
    "year 0": "0000-00-00",
    "year 1": "0001-01-01T00:00:00+14:00",
    "year 9999": "9999-12-31T23:59:59-12:00",
    "year of six digits": "+292277-01-01T00:00:00Z",
}
# Python writes them, and JSON has no such values: the call as a whole cannot be read.
NO_JSON = {"infinite", "no number", "half a character"}
LEAD_FIELDS = (
    *("reference", "name", "phone", "email", "national_id", "birth_date", "gender", "province"),
    *("city", "occupation", "education", "marital", "income_band", "language", "campaign"),
)
CONSENT_FIELDS = ("channel", "purpose", "at", "granted", "evidence", "policy_version")
EVENT_FIELDS = (
    *("event_id", "event", "occurred_at", "lead_id", "reference", "amount", "channel", "subject"),
    "properties",
)
PROPERTIES: dict[str, Any] = {
    **{f"value: {name}": {"a": value} for name, value in TEXTS.items()},
    **{f"key: {name}": {text: 1} for name, text in TEXTS.items() if isinstance(text, str)},
    "deep": {"a": {"b": {"c": 1}}},
}
QUESTIONS = ("%00", "%ED%A0%80", "%C2%B2", "9" * 40, "-1", "x" * 3000, "9999-12-31", "0001-01-01")


def _event(**fields: Any) -> dict[str, Any]:
    return {
        "event_id": "e1",
        "event": "page_viewed",
        "occurred_at": clock.now().isoformat(),
        "reference": "L1",
    } | fields


def _is_answered(response: Any) -> bool:
    return response.status_code in {200, 201, 400, 404, 413, 422} and bool(response.json())


@pytest.mark.parametrize("name", TEXTS)
def test_b6_no_value_in_a_lead_is_a_500(acme: PartnerClient, name: str) -> None:
    wrong = []
    for number, field in enumerate(LEAD_FIELDS):
        sent = lead(number) | {field: TEXTS[name]}
        before = Customer.objects.count(), PartnerLead.objects.count()
        response = acme.post("leads", sent, key=f"k{number}")
        after = Customer.objects.count(), PartnerLead.objects.count()
        is_whole = (after[0] - before[0], after[1] - before[1]) == (
            (1, 1) if response.status_code == 201 else (0, 0)
        )
        if not _is_answered(response) or not is_whole:
            wrong.append((field, response.status_code))
    assert wrong == []


@pytest.mark.parametrize("name", TEXTS)
def test_b6_no_value_in_a_consent_is_a_500(acme: PartnerClient, name: str) -> None:
    wrong = []
    for number, field in enumerate(CONSENT_FIELDS):
        consent = {"channel": "sms", "purpose": "marketing", "at": clock.now().isoformat()}
        consent |= {"evidence": "form-7", field: TEXTS[name]}
        response = acme.post("leads", lead(number, consents=[consent]), key=f"k{number}")
        if not _is_answered(response):
            wrong.append((field, response.status_code))
    assert wrong == []


@pytest.mark.parametrize("name", TEXTS)
def test_b6_an_odd_lead_takes_no_other_lead_along(acme: PartnerClient, name: str) -> None:
    good = lead(500)
    odd = [lead(number) | {field: TEXTS[name]} for number, field in enumerate(LEAD_FIELDS)]
    response = acme.post("leads/bulk", {"leads": [*odd, good]}, key="k")
    if name in NO_JSON:
        assert response.status_code == 400
    else:
        assert response.status_code == 200
        assert response.json()["results"][-1]["status"] == "accepted"
        assert response.json()["received"] == len(odd) + 1


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("path", ["events", "conversions"])
def test_b6_no_value_in_an_event_is_a_500(acme: PartnerClient, name: str, path: str) -> None:
    acme.post("leads", lead(1), key="first")
    wrong = []
    for number, field in enumerate((*EVENT_FIELDS, "conversion_id", "campaign")):
        event = _event(event_id=f"e{number}") | {field: TEXTS[name]}
        if path == "conversions":
            event["conversion_id"] = event.pop("event_id") if field != "conversion_id" else "x"
            event |= {field: TEXTS[name]}
            for name_of_events in ("channel", "subject", "properties"):
                event.pop(name_of_events, None)
        response = acme.post(path, event, key=f"k{number}")
        if not _is_answered(response):
            wrong.append((field, response.status_code))
    assert wrong == []


@pytest.mark.parametrize("name", PROPERTIES)
def test_b6_odd_properties_take_no_other_event_along(acme: PartnerClient, name: str) -> None:
    acme.post("leads", lead(1), key="first")
    before = Event.objects.count()
    events = [_event(event_id="odd", properties=PROPERTIES[name]), _event(event_id="good")]
    response = acme.post("events/bulk", {"events": events}, key="k")
    assert response.status_code in {200, 400}
    if response.status_code == 200:
        assert response.json()["results"][1]["status"] == "accepted"
        assert Event.objects.count() - before == response.json()["accepted"]


@pytest.mark.parametrize("depth", [50, 5_000, 200_000])
def test_b6_deep_json_is_refused(acme: PartnerClient, depth: int) -> None:
    acme.post("leads", lead(1), key="first")
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    for path, head in (("leads", b'{"reference":"d","consents":'), ("events", b'{"properties":')):
        assert acme.post(path, head + deep + b"}", key=path).status_code in {400, 413, 422}


@pytest.mark.parametrize("value", QUESTIONS)
def test_b6_no_question_to_the_api_is_a_500(acme: PartnerClient, value: str) -> None:
    made = acme.post("leads", lead(1), key="first").json()
    wrong = []
    for path in (
        f"customers/{made['lead_id']}/timeline",
        "campaigns",
        "segments",
        f"leads/{value}",
        f"campaigns/{value}/report",
        f"segments/{value}/count",
    ):
        for name in ("cursor", "limit", "kind", "channel", "event", "from", "to", "format", "lang"):
            response = acme.get(f"{path}?{name}={value}")
            if response.status_code >= 500:
                wrong.append((path, name, response.status_code))
    assert wrong == []


@pytest.mark.parametrize("value", ["a\x00b", "\xed\xa0\x80", "x" * 5_000, "\u4e2d", "%00"])
@pytest.mark.parametrize("field", ["client_id", "client_secret", "grant_type", "scope"])
def test_b6_no_word_asking_for_a_token_is_a_500(
    acme: PartnerClient, field: str, value: str
) -> None:
    assert acme.get_token(**{field: value}).status_code in {400, 401}


@pytest.mark.parametrize("token", ["a\x00b", "\xff", "x" * 5_000, "", "a b"])
def test_b6_no_token_is_a_500(acme: PartnerClient, token: str) -> None:
    answer = Client().get(f"{ROOT}campaigns", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in {400, 401}


def test_b6_no_name_and_password_is_a_500(acme: PartnerClient) -> None:
    for word in ("a\x00b:c", "a%00b:c", "a:%00", "\udcff:\udcff", "x" * 5_000, ""):
        said = base64.b64encode(word.encode("utf-8", "surrogateescape")).decode()
        for path in ("token", "revoke"):
            answer = acme.http.post(
                f"{ROOT}oauth/{path}/",
                {"grant_type": "client_credentials", "token": "x"},
                headers={"Authorization": f"Basic {said}"},
            )
            assert answer.status_code in {400, 401}
