"""Every refusal is a problem document with a stable code; rates say when to come back."""

from typing import Any

import msgspec
import pytest
from django.db import OperationalError
from django.test import Client, override_settings

from campaigns.models import Partner
from campaigns.services.partners import leads
from loancrm.api.errors import Problem, problems
from loancrm.kernel.security.crypto import CipherRefused
from tests.partner_client import ROOT, PartnerClient, lead

LIMITS = {
    "partner": 3,
    "tokens_per_client": 2,
    "refused_clients_per_address": 2,
    "refused_tokens_per_address": 2,
}


def _problem(response: Any) -> Problem:
    assert response["Content-Type"] == "application/problem+json"
    problem = msgspec.json.decode(response.content, type=Problem)
    assert problem.status == response.status_code == problems()[problem.code][0]
    assert problem.type == f"urn:loancrm:problem:{problem.code}"
    assert problem.title
    assert problem.detail
    return problem


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("get", "nowhere", "not_found"),
        ("post", "nowhere/at/all", "not_found"),
        ("get", "leads", "method_not_allowed"),
        ("delete", "campaigns", "method_not_allowed"),
        ("put", "leads/bulk", "method_not_allowed"),
        ("get", "leads/not-a-uuid", "not_found"),
    ],
)
def test_wrong_addresses_and_methods(
    acme: PartnerClient, method: str, path: str, code: str
) -> None:
    response = getattr(acme.http, method)(
        ROOT + path, headers={"Authorization": f"Bearer {acme.token}"}
    )

    assert _problem(response).code == code
    if code == "method_not_allowed":
        assert response["Allow"]


@pytest.mark.parametrize(
    "media_type", ["text/xml", "application/x-www-form-urlencoded", "text/json"]
)
def test_another_media_type_is_415(acme: PartnerClient, media_type: str) -> None:
    response = acme.http.post(
        f"{ROOT}leads",
        b"{}",
        content_type=media_type,
        headers={"Authorization": f"Bearer {acme.token}", "Idempotency-Key": "k"},
    )

    assert _problem(response).code == "unsupported_media_type"


def test_a_body_that_is_too_large_is_413(acme: PartnerClient) -> None:
    with override_settings(LOANCRM_API_BODY_BYTES=100):
        response = acme.post("leads/bulk", {"leads": [lead(1)] * 5}, key="k")

    assert _problem(response).code == "body_too_large"
    body = b'{"leads": ["' + b"x" * 2_700_000 + b'"]}'
    assert _problem(acme.post("leads/bulk", body, key="k")).code == "body_too_large"


def test_only_json_is_served(acme: PartnerClient) -> None:
    response = acme.get("campaigns", Accept="text/html")

    assert _problem(response).code == "not_acceptable"


def test_texts_follow_the_language_and_codes_do_not(acme: PartnerClient) -> None:
    english = _problem(acme.get("leads/00000000-0000-0000-0000-000000000000"))
    chinese = _problem(
        acme.get("leads/00000000-0000-0000-0000-000000000000", **{"Accept-Language": "zh-hans"})
    )

    assert english.code == chinese.code == "lead_not_found"
    assert english.title == "The lead is unknown"
    assert chinese.title == "没有这条线索"


def test_an_error_that_was_not_meant_for_partners_is_not_shown_to_them(
    acme: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_facts: Any) -> None:
        message = "secret detail"
        raise CipherRefused(message)

    monkeypatch.setattr(leads, "own_lead", refuse)
    response = acme.get("leads/00000000-0000-0000-0000-000000000000")

    assert _problem(response).code == "internal_error"
    assert b"secret" not in response.content


def test_a_busy_database_is_503_with_retry_after(
    acme: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(**_facts: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(leads, "own_lead", lock)
    response = acme.get("leads/00000000-0000-0000-0000-000000000000")

    assert _problem(response).code == "unavailable"
    assert response["Retry-After"] == "5"


def test_an_unexpected_failure_tells_nothing_about_the_inside(
    acme: PartnerClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_facts: Any) -> None:
        message = "secret detail"
        raise RuntimeError(message)

    monkeypatch.setattr(leads, "own_lead", fail)
    response = acme.get("leads/00000000-0000-0000-0000-000000000000")

    assert _problem(response).code == "internal_error"
    assert b"secret" not in response.content


def test_personal_data_of_a_refused_lead_is_neither_answered_nor_logged(
    acme: PartnerClient, caplog: pytest.LogCaptureFixture
) -> None:
    content = lead(1, phone="13800-not-a-phone", name="欧阳锋", email="feng@@x")
    single = acme.post("leads", content, key="a")
    bulk = acme.post("leads/bulk", {"leads": [content, content | {"gender": 5}]}, key="b")

    for text in (single.content.decode(), bulk.content.decode(), caplog.text):
        assert "not-a-phone" not in text
        assert "欧阳锋" not in text
        assert "feng" not in text


def test_a_partner_over_its_rate_gets_429_and_the_others_do_not(
    acme: PartnerClient, bolt: PartnerClient
) -> None:
    with override_settings(LOANCRM_API_LIMITS=LIMITS):
        responses = [acme.get("campaigns") for _ in range(5)]
        other = bolt.get("campaigns")

    assert [response.status_code for response in responses] == [200, 200, 200, 429, 429]
    assert _problem(responses[-1]).code == "too_many_requests"
    assert 1 <= int(responses[-1]["Retry-After"]) <= 60
    assert other.status_code == 200


def test_a_partners_own_rate_wins(acme: PartnerClient) -> None:
    Partner.objects.update(requests_per_minute=1)

    assert [acme.get("campaigns").status_code for _ in range(2)] == [200, 429]


def test_refused_clients_are_limited_by_address_whatever_forwarded_for_says(
    acme: PartnerClient,
) -> None:
    with override_settings(LOANCRM_API_LIMITS=LIMITS):
        responses = [
            Client().post(
                f"{ROOT}oauth/token/",
                {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"},
                headers={"X-Forwarded-For": f"10.0.0.{number}"},
            )
            for number in range(4)
        ]

    assert [response.status_code for response in responses] == [401, 401, 429, 429]
    assert int(responses[-1]["Retry-After"]) >= 1


def test_guessing_bearer_tokens_is_stopped(acme: PartnerClient) -> None:
    acme.token = "guess"
    with override_settings(LOANCRM_API_LIMITS=LIMITS):
        responses = [acme.get("campaigns") for _ in range(3)]

    assert [response.status_code for response in responses] == [401, 401, 429]
