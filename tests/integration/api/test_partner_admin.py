"""Partners in the admin: looked at by those who may, switched off at once, secrets nowhere."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from campaigns.models import Partner
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.roles import ensure_roles
from tests.partner_client import PartnerClient, lead

PAGE = "/admin/campaigns/partner/"


def _signed_in(**fields: bool) -> Client:
    user = User.objects.create(username="someone", is_staff=True, **fields)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_an_administrator_switches_a_partner_off(acme: PartnerClient) -> None:
    client = _signed_in(is_superuser=True)

    response = client.post(
        PAGE, {"action": "switch_off", "_selected_action": [str(acme.partner.pk)]}
    )

    assert response.status_code == 302
    assert not Partner.objects.get().is_active
    assert acme.get("campaigns").status_code == 401
    assert AuditEntry.objects.filter(action="partner_switched_off").count() == 1


def test_pages_show_leads_and_no_secret(acme: PartnerClient) -> None:
    acme.post("leads", lead(1), key="k")
    client = _signed_in(is_superuser=True)

    pages = [
        client.get(path).content.decode()
        for path in (PAGE, f"{PAGE}{acme.partner.pk}/change/", "/admin/campaigns/partnerlead/")
    ]

    assert "acme" in pages[0]
    assert "L1" in pages[2]
    assert all(acme.client_secret not in page for page in pages)


@pytest.mark.parametrize("role", ["marketer", "approver", "analyst"])
def test_other_roles_see_no_partners(acme: PartnerClient, role: str) -> None:
    ensure_roles()
    client = _signed_in()
    User.objects.get(username="someone").groups.add(Group.objects.get(name=role))

    assert client.get(PAGE).status_code == 403
    assert not Permission.objects.filter(group__name=role, codename="change_partner").exists()


def test_somebody_who_may_only_look_cannot_switch(acme: PartnerClient) -> None:
    client = _signed_in()
    User.objects.get(username="someone").user_permissions.add(
        Permission.objects.get(codename="view_partner")
    )

    client.post(PAGE, {"action": "switch_off", "_selected_action": [str(acme.partner.pk)]})

    assert client.get(PAGE).status_code == 200
    assert Partner.objects.get().is_active
