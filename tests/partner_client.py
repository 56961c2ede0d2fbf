"""A partner's client for tests: gets a token and calls the API through Django's test client."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from campaigns.models import Partner
from campaigns.services.partners import contracts
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor

ROOT = "/api/v1/"
ACTOR = system_actor("test")


@dataclass
class PartnerClient:
    """One partner with its credentials and a token for everything it may do."""

    partner: Partner
    client_id: str
    client_secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    http: Client = field(default_factory=Client)

    def get_token(self, **parameters: str) -> Any:
        """Ask for a token and return the response."""
        content = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        return self.http.post(f"{ROOT}oauth/token/", content | parameters)

    def get(self, path: str, **headers: str) -> Any:
        """GET a path below the API."""
        return self.http.get(ROOT + path, headers=self._headers(headers))

    def post(self, path: str, content: Any, *, key: str | None = None, **headers: str) -> Any:
        """POST JSON (or raw bytes) to a path below the API."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.http.post(
            ROOT + path, body, content_type="application/json", headers=self._headers(headers)
        )

    def _headers(self, extra: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"} | extra


def new_partner(slug: str, **options: Any) -> PartnerClient:
    """Register a partner and give it a token."""
    partner, credentials = contracts.register_partner(
        actor=ACTOR, slug=slug, name=slug.title(), now=clock.now(), **options
    )
    client = PartnerClient(partner, credentials.client_id, credentials.client_secret)
    client.token = client.get_token().json()["access_token"]
    return client


def lead(number: int, **fields: Any) -> dict[str, Any]:
    """Return a good lead; different numbers are different people."""
    return {
        "reference": f"L{number}",
        "name": f"测试{chr(0x4E00 + number)}",
        "phone": f"138{number:08d}",
    } | fields
