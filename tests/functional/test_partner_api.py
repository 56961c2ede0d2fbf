"""A partner's client, written with nothing but `requests`, against the running server."""

from dataclasses import dataclass
from typing import Any

import pytest
import requests
from django.core.cache import cache

from campaigns.models import Campaign, PartnerLead
from campaigns.services.partners import contracts
from customers.models import Customer, Event
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor

ACTOR = system_actor("test")
BAD = {3, 77, 150, 151, 400, 512, 640, 777, 998, 999}

pytestmark = pytest.mark.slow


@dataclass
class Account:
    """What a partner's client needs to know."""

    root: str
    client_id: str
    client_secret: str
    token: str = ""

    def log_in(self) -> None:
        response = requests.post(
            f"{self.root}/oauth/token/",
            data={"grant_type": "client_credentials"},
            auth=(self.client_id, self.client_secret),
            timeout=10,
        )
        assert response.status_code == 200
        self.token = response.json()["access_token"]

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return requests.request(
            method, f"{self.root}/{path}", headers=headers, timeout=60, **options
        )


def _campaign(slug: str) -> Campaign:
    return Campaign.objects.create(
        slug=slug,
        name=slug,
        goal_event="application_submitted",
        created_at=clock.now(),
        updated_at=clock.now(),
    )


@pytest.fixture
def account(live_server: Any) -> Account:
    cache.clear()
    partner, credentials = contracts.register_partner(
        actor=ACTOR, slug="acme", name="Acme", now=clock.now()
    )
    contracts.share(actor=ACTOR, partner=partner, shared=_campaign("spring"), now=clock.now())
    _campaign("somebody-elses")
    return Account(f"{live_server.url}/api/v1", credentials.client_id, credentials.client_secret)


def _leads() -> list[dict[str, Any]]:
    return [
        {
            "reference": f"L{number}",
            "name": "王小明" + chr(0x4E00 + number),
            "phone": "no number" if number in BAD else f"1390000{number:04d}",
            "city": "杭州",
            "consents": [
                {
                    "channel": "sms",
                    "purpose": "marketing",
                    "at": "2026-01-05T09:00:00+08:00",
                    "evidence": f"form-{number}",
                }
            ],
        }
        for number in range(1000)
    ]


def test_a_partner_hands_in_a_thousand_leads_and_reads_its_report(account: Account) -> None:
    account.log_in()
    content = {"leads": _leads()}
    headers = {"Idempotency-Key": "2026-03-04-batch-1"}

    first = account.call("POST", "leads/bulk", json=content, headers=headers)

    assert first.status_code == 200, first.text
    reply = first.json()
    assert (reply["received"], reply["accepted"], reply["duplicates"], reply["rejected"]) == (
        1000,
        990,
        0,
        10,
    )
    refused = {item["index"]: item for item in reply["results"] if item["status"] == "rejected"}
    assert set(refused) == BAD
    assert all(item["errors"][0]["field"] == "phone" for item in refused.values())
    assert all(item["errors"][0]["code"] == "phone_invalid" for item in refused.values())
    assert Customer.objects.filter(source="partner:acme").count() == 990
    assert PartnerLead.objects.count() == 990
    assert Event.objects.filter(type__name="lead_captured").count() == 990

    again = account.call("POST", "leads/bulk", json=content, headers=headers)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replay"] == "true"
    assert Customer.objects.count() == PartnerLead.objects.count() == 990

    renewed = account.call(
        "POST", "leads/bulk", json=content, headers={"Idempotency-Key": "batch-2"}
    ).json()
    assert (renewed["accepted"], renewed["duplicates"], renewed["rejected"]) == (0, 990, 10)
    assert Customer.objects.count() == PartnerLead.objects.count() == 990

    event = {
        "event_id": "E1",
        "event": "application_submitted",
        "occurred_at": "2026-03-04T10:00:00+08:00",
        "lead_id": reply["results"][0]["lead_id"],
    }
    assert account.call("POST", "events", json=event).status_code == 201

    report = account.call("GET", "campaigns/spring/report")
    assert (report.status_code, report.json()["campaign"]) == (200, "spring")
    for path in ("campaigns/somebody-elses/report", "campaigns/nowhere/report"):
        hidden = account.call("GET", path)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "campaign_not_found")


def test_a_client_without_a_token_is_turned_away_politely(account: Account) -> None:
    response = account.call("GET", "campaigns", headers={"Authorization": ""})

    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"
