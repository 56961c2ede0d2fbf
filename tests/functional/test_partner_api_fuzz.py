"""Schemathesis reads the OpenAPI document and tries what no partner would think of."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from campaigns.models import Campaign, Partner
from campaigns.services.partners import contracts
from customers.domain.sources import SourceKind
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.functional.test_partner_api import Account

ACTOR = system_actor("test")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,unsupported_method,"
    "allow_header_conformance,missing_required_header,ignored_auth"
)

pytestmark = pytest.mark.slow


def test_no_request_gets_a_server_error_or_a_reply_outside_the_document(
    live_server: Any, settings: Any, tmp_path: Path
) -> None:
    cache.clear()
    settings.LOANCRM_API_LIMITS = dict.fromkeys(settings.LOANCRM_API_LIMITS, 1_000_000)
    # A system of the lender's own may do everything that there is.
    partner, credentials = contracts.register_partner(
        actor=ACTOR, slug="acme", name="Acme", kind=SourceKind.OWN_SYSTEM, now=clock.now()
    )
    campaign = Campaign.objects.create(
        slug="spring",
        name="Spring",
        goal_event="application_submitted",
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    segment = versions.create_segment(
        actor=ACTOR,
        slug="everyone",
        name="Everyone",
        rule={"combinator": "and", "rules": []},
        now=clock.now(),
    )
    for shared in (campaign, segment):
        contracts.share(actor=ACTOR, partner=partner, shared=shared, now=clock.now())
    account = Account(f"{live_server.url}/api/v1", credentials.client_id, credentials.client_secret)
    account.log_in()

    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{live_server.url}/api/v1/schema/?format=json",
            f"--header=Authorization: Bearer {account.token}",
            f"--checks={CHECKS}",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=10",
            "--seed=7",
            "--no-shrink",
            "--workers=1",
            "--continue-on-failure",
            "--request-timeout=20",
            "--suppress-health-check=all",
            "--warnings=off",
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=tmp_path,
    )

    assert run.returncode == 0, run.stdout[-8000:]
    assert "Tested: 18" in run.stdout
    assert Partner.objects.count() == 1
