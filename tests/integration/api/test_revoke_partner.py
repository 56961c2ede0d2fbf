"""The command that takes a leaked client or a share from a partner that goes on otherwise."""

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


def _run(command: str, *arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command(command, *arguments, "--json", stdout=out)
    content: dict[str, Any] = json.loads(out.getvalue())
    return content


def _client(printed: dict[str, Any]) -> PartnerClient:
    partner = Partner.objects.get(slug=printed["partner"])
    client = PartnerClient(partner, printed["client_id"], printed["client_secret"])
    client.token = client.get_token().json()["access_token"]
    return client


def test_a_leaked_client_ends_at_once_and_the_other_goes_on(db: None) -> None:
    new_campaign("spring")
    leaked = _client(_run("create_partner", "Acme", "--share", "campaign:spring"))
    kept = _client(_run("create_partner", "Acme", "--add"))

    answer = _run("revoke_partner", "acme", "--client", leaked.client_id)

    assert answer["clients"] == [leaked.client_id]
    assert leaked.get("campaigns/spring/report").status_code == 401
    assert kept.get("campaigns/spring/report").status_code == 200
    entry = AuditEntry.objects.get(action="partner_client_removed")
    assert entry.facts == {"client_id": leaked.client_id, "removed": 1}
    assert entry.actor_id == "command:revoke_partner"


def test_a_share_is_taken_back_and_the_client_goes_on(db: None) -> None:
    for slug in ("spring", "summer"):
        new_campaign(slug)
    shares = ("--share", "campaign:spring", "--share", "campaign:summer")
    client = _client(_run("create_partner", "Acme", *shares))

    _run("revoke_partner", "acme", "--share", "campaign:spring")

    assert client.get("campaigns/spring/report").status_code == 404
    assert client.get("campaigns/summer/report").status_code == 200
    assert AuditEntry.objects.filter(action="share_removed").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("acme",), "nothing_to_revoke"),
        (("ghost", "--client", "x"), "partner_unknown"),
        (("acme", "--share", "campaign:nowhere"), "share_unknown"),
        (("acme", "--share", "campaign:spring", "--client", "nosuch"), "client_unknown"),
    ],
)
def test_what_cannot_be_revoked_is_said_and_nothing_is_changed(
    db: None, arguments: tuple[str, ...], part: str
) -> None:
    new_campaign("spring")
    client = _client(_run("create_partner", "Acme", "--share", "campaign:spring"))

    with pytest.raises(CommandError, match=part):
        _run("revoke_partner", *arguments)
    assert Application.objects.count() == 1
    assert client.get("campaigns/spring/report").status_code == 200
    assert not AuditEntry.objects.filter(action="partner_client_removed").exists()
