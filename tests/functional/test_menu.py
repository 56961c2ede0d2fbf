"""Who finds what in the menu, in both languages, and what it counts."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import translation

from loancrm.kernel import roles
from loancrm.kernel.manifest import Role

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

RISK = ["Models", "Early warning", "Credit assumptions", "Credit policy"]
REVIEWS = ["Credit decisions", "Reviews of decisions"]
DATA = ["Data sources", "Mappings", "Duplicates", "Survivorship rules", "Attributes"]
LINES = {
    Role.MARKETER: [
        *("Home", "Campaigns", "Message templates", "Customers", "Segments", "Targeting"),
        *("Results", "Imports", "Exports"),
    ],
    Role.APPROVER: [
        *("Home", "Approvals", "Campaigns", "Message templates", "Unknown fate"),
        *("Customers", "Segments", "Results", "Models", "Credit policy", *REVIEWS, "Exports"),
        "Global control group",
    ],
    Role.ANALYST: [
        *("Home", "Campaigns", "Customers", "Segments", "Targeting", "Results"),
        *(*RISK, *REVIEWS, "Bureau reports", "Attributes", "Work"),
    ],
    Role.STEWARD: ["Home", "Campaigns", "Customers", "Segments", "Imports", *DATA, "Work"],
    Role.COMPLIANCE: [
        *("Home", "Approvals", "Campaigns", "Customers", "Segments"),
        *("Models", "Early warning", "Credit policy", *REVIEWS, "Bureau reports"),
        *("Exports", "Data sources", "Stop list", "Privacy requests", "Unclear consents"),
        *("Replies to be read", "Filings with providers", "Protected attributes", "Rules in force"),
        *("Global control group", "Audit trail"),
    ],
    Role.RISK: [
        *("Home", "Approvals", "Campaigns", "Customers", "Segments", "Results"),
        *(*RISK, *REVIEWS, "Bureau reports", "Attributes", "Work", "Global control group"),
    ],
}


TITLES = [entry.title for _part, entries in settings.LOANCRM_MANIFESTS.menu for entry in entries]


def _client(role: str, language: str = "en") -> Client:
    roles.ensure_roles()
    user = User.objects.create_user(f"one-{role}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def _menu(client: Client) -> list[str]:
    answer = client.get(reverse("admin:index"))
    shown = [line for part in answer.context["sidebar_navigation"] for line in part["items"]]
    page = answer.content.decode()
    assert all(f'href="{line["link"]}"' in page for line in shown)
    return [line["title"] for line in shown]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("role", Role)
def test_each_role_sees_what_it_works_with(role: Role, language: str) -> None:
    with translation.override("en"):
        english = [str(title) for title in TITLES]
    with translation.override(language):
        titles = dict(zip(english, map(str, TITLES), strict=True))
    expected = [titles[line] for line in LINES[role]]
    assert _menu(_client(role, language)) == expected
    # The table itself is read in the other language.
    assert (expected == LINES[role]) == (language == "en")


def test_a_marketer_sees_nine_lines() -> None:
    assert len(_menu(_client(Role.MARKETER))) == 9
