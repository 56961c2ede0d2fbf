"""The command that registers a partner prints a secret once, and it works."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from oauth2_provider.models import Application

from campaigns.models import Partner
from loancrm.kernel.models import AuditEntry
from tests.integration.api.test_sharing import new_campaign
from tests.partner_client import PartnerClient


def _run(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("create_partner", *arguments, "--json", stdout=out)
    content: dict[str, Any] = json.loads(out.getvalue())
    return content


def test_a_new_partner_can_use_what_is_printed(db: None) -> None:
    new_campaign("spring")

    printed = _run("Acme Loans", "--share", "campaign:spring")

    partner = Partner.objects.get(slug="acme-loans")
    assert (printed["partner"], printed["source"]) == ("acme-loans", "partner:acme-loans")
    client = PartnerClient(partner, printed["client_id"], printed["client_secret"])
    client.token = client.get_token().json()["access_token"]
    assert client.get("campaigns/spring/report").status_code == 200
    assert not partner.user.has_usable_password()
    stored = json.dumps(list(AuditEntry.objects.values("action", "facts")))
    assert "partner_registered" in stored
    assert "share_added" in stored
    assert printed["client_secret"] not in stored


def test_scopes_can_be_narrowed(db: None) -> None:
    printed = _run("Reader", "--scope", "reports:read")

    assert printed["scopes"] == ["reports:read"]


def test_a_system_of_the_lenders_own_may_have_messages_sent(db: None) -> None:
    printed = _run("Core", "--own-system", "--scope", "messages:write")

    assert printed["scopes"] == ["messages:write"]
    assert Partner.objects.get(slug="core").data_source.kind == "own_system"
    with pytest.raises(CommandError, match="scope_refused"):
        _run("Acme", "--scope", "messages:write")


def test_a_second_client_is_added_for_rotation(db: None) -> None:
    first = _run("Acme")
    second = _run("Acme", "--add")

    assert first["client_id"] != second["client_id"]
    assert Application.objects.count() == 2
    assert Partner.objects.count() == 1


def test_a_share_is_added_without_a_new_secret(db: None) -> None:
    new_campaign("spring")
    _run("Acme")

    assert "client_secret" not in _run("Acme", "--add", "--share", "campaign:spring")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("Acme",), "partner_exists"),
        (("Other", "--share", "campaign:nowhere"), "share_unknown"),
        (("Other", "--share", "customer:1"), "share_unknown"),
        (("伙伴",), "--slug is needed"),
        (("Ghost", "--add"), "there is no partner"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    db: None, arguments: tuple[str, ...], part: str
) -> None:
    _run("Acme")

    with pytest.raises(CommandError, match=part):
        _run(*arguments)
    assert Partner.objects.count() == Application.objects.count() == 1
