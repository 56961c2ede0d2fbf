"""The settings page of the global control group."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from campaigns.models import GlobalControlChoice
from loancrm.kernel.manifest import Role

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
ADD = "admin:campaigns_globalcontrolchoice_add"
LIST = "admin:campaigns_globalcontrolchoice_changelist"


def _send(client, **changes):
    values = {
        "share_percent": "7.5",
        "period_length": "quarter",
        "reason": "agreed by the board",
        **changes,
    }
    return client.post(reverse(ADD), values, headers={"accept-language": "en"})


def test_d8_a_share_is_chosen_on_the_page(admin_client):
    assert (
        "No global control group"
        in admin_client.get(reverse(LIST), headers={"accept-language": "en"}).content.decode()
    )

    assert _send(admin_client).status_code == 302

    chosen = GlobalControlChoice.objects.get()
    assert (chosen.share, chosen.period_length) == (Decimal("0.075"), "quarter")
    listed = admin_client.get(reverse(LIST), headers={"accept-language": "en"}).content.decode()
    for words in ("7.5 %", "calendar quarter", "agreed by the board"):
        assert words in listed
    page = reverse("admin:campaigns_globalcontrolchoice_change", args=[chosen.pk])
    shown = admin_client.get(page, headers={"accept-language": "zh-hans"}).content.decode()
    assert "每个自然季度" in shown


@pytest.mark.parametrize(
    "changes", [{"share_percent": "20.1"}, {"share_percent": "-1"}, {"reason": "because"}]
)
def test_d8_the_page_refuses_what_the_service_refuses(admin_client, changes):
    assert _send(admin_client, **changes).status_code == 200
    assert not GlobalControlChoice.objects.exists()


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.COMPLIANCE, True),
        (Role.RISK, True),
        (Role.APPROVER, True),
        (Role.MARKETER, False),
        (Role.ANALYST, False),
    ],
)
def test_d8_who_may_choose_is_a_matter_of_roles(client, role, may):
    user = User.objects.create(username="u", is_staff=True)
    user.groups.add(Group.objects.get(name=role.value))
    client.force_login(user)

    assert client.get(reverse(LIST)).status_code == 200
    assert _send(client).status_code == (302 if may else 403)
    assert GlobalControlChoice.objects.exists() is may
