"""The OpenAPI document is valid, complete and the same offline."""

from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from loancrm.api.errors import PROBLEM_TYPE
from tests.partner_client import ROOT


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    content: dict[str, Any] = yaml.safe_load(out.getvalue())
    return content


def test_the_document_is_valid_and_lists_every_end_point(document: dict[str, Any]) -> None:
    assert sorted(path.removeprefix(ROOT) for path in document["paths"]) == [
        "campaigns",
        "campaigns/{campaign_id}/report",
        "campaigns/{slug}/triggers",
        "conversions",
        "credit-decisions",
        "credit-facts",
        "customers/{public_id}/timeline",
        "events",
        "events/bulk",
        "leads",
        "leads/bulk",
        "leads/{lead_id}",
        "messages",
        "messages/{request_id}",
        "oauth/revoke/",
        "oauth/token/",
        "segments",
        "segments/{segment_id}/count",
    ]


def test_every_operation_names_its_scope_and_its_problems(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if "/oauth/" not in path:
                (scopes,) = (
                    entry["oauth2"] for entry in operation["security"] if "oauth2" in entry
                )
                assert len(scopes) == 1
            assert {"400", "401", "429"} <= operation["responses"].keys()
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == [PROBLEM_TYPE]


def test_documents_are_served_without_any_other_host(db: None) -> None:
    client = Client()
    page = client.get(f"{ROOT}docs/")
    script = client.get(f"{ROOT}docs/?script=")

    assert page.status_code == script.status_code == 200
    for text in (page.content.decode(), script.content.decode()):
        assert "https://" not in text
        assert "cdn" not in text
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/" in page.content.decode()
    assert client.get(f"{ROOT}schema/").status_code == 200
