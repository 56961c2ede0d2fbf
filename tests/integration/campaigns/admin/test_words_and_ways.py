"""Words for what the system did, buttons that lead somewhere, empty pages that promise nothing."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from customers.services.segments import versions
from loancrm.kernel import roles
from loancrm.kernel.access import system_actor
from loancrm.kernel.auditing import audit
from tests.factories.campaigns import EVERYONE

pytestmark = pytest.mark.django_db


def signed_in(role: str) -> Client:
    roles.ensure_roles()
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_u12_the_list_of_the_trail_names_no_job_and_no_code(admin_client, now):
    for number, label in enumerate(("job:campaigns.tick", "page:webhooks", "verify_audit")):
        audit.record(
            actor=system_actor(label),
            action="stops.import",
            object_type="campaigns.Suppression",
            object_id=("batch", "all", "7")[number],
            now=now,
        )
    address = reverse("admin:kernel_auditentry_changelist")
    text = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    for code in ("job:campaigns.tick", "page:webhooks", "verify_audit", ">batch<", ">all<"):
        assert code not in text
    assert "a scheduled job" in text
    assert "several at once" in text


def test_u15_a_button_is_shown_only_to_those_whom_it_takes_somewhere(actor, now):
    segment = versions.create_segment(
        actor=actor, slug="everybody", name="Everybody", rule=EVERYONE, now=now
    )
    page = reverse("admin:customers_segment_change", args=[segment.pk])
    for role, is_shown in (("approver", False), ("analyst", False), ("marketer", True)):
        client = signed_in(role)
        text = client.get(page).content.decode()
        assert ("Write a campaign for it" in text) is is_shown, role
        write = reverse("admin:campaigns_campaign_add") + f"?segment={segment.pk}"
        assert (client.get(write).status_code == 200) is is_shown, role


def test_u33_an_empty_list_promises_no_button_that_is_not_there():
    client = signed_in("compliance")
    for name in ("campaigns_receipt", "customers_privacyrequest"):
        text = client.get(reverse(f"admin:{name}_changelist")).content.decode()
        assert "Create a new item" not in text, name
        assert "There is nothing here yet" in text, name
