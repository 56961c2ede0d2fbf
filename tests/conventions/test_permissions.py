"""What can be given to people is exactly what pages and services ask for."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from loancrm.kernel import roles
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.words import permission_words

ROOT = Path(__file__).parents[2]
APPS = ("customers", "campaigns", "analytics", "auth", "kernel")
NAME = re.compile(rf"\b((?:{'|'.join(APPS)})\.(?:add|change|delete|view)_[a-z]+)\b")
# The rotation of keys is a command's, never a person's.
OF_COMMANDS = {"kernel.change_keyrotation"}
OFFERED = {name for name in settings.LOANCRM_MANIFESTS.rights if NAME.fullmatch(name)}


def named_in_the_code() -> set[str]:
    places = [path for app in ("loancrm", *APPS[:3]) for path in (ROOT / app).rglob("*.py")]
    places += (ROOT / "templates").rglob("*.html")
    return {
        name
        for path in places
        if "migrations" not in path.parts and path.name not in {"roles.py", "manifest.py"}
        for name in NAME.findall(path.read_text(encoding="utf-8"))
    }


def asked_by_lists() -> set[str]:
    """Return what the lists and forms of tables ask for that leave the question to Django."""
    request = HttpRequest()
    request.user = User(is_superuser=True, is_active=True)
    found = set()
    for model, page in admin.site._registry.items():
        options = model._meta
        for deed in ("add", "change", "delete", "view"):
            method = getattr(type(page), f"has_{deed}_permission")
            is_djangos = method.__module__.startswith(("django.", "unfold."))
            if options.app_label in APPS and is_djangos and getattr(page, method.__name__)(request):
                found.add(f"{options.app_label}.{deed}_{options.model_name}")
    return found


def test_every_right_that_is_asked_for_can_be_given() -> None:
    own = {f"campaigns.{codename}" for codename, _words in Campaign._meta.permissions}
    assert named_in_the_code() | asked_by_lists() <= OFFERED | OF_COMMANDS | own


def test_every_right_that_can_be_given_is_asked_for() -> None:
    # A right to look is what a list of rows of its own asks for, by whatever way.
    lists = {f"{m._meta.app_label}.view_{m._meta.model_name}" for m in admin.site._registry}
    # `super()` asks Django for it once nothing else stands against the change.
    by_super = {"campaigns.change_suppression"}
    assert named_in_the_code() | asked_by_lists() | lists | by_super >= OFFERED


@pytest.mark.django_db
def test_roles_are_given_nothing_that_nobody_asks_for() -> None:
    roles.ensure_roles()

    useful = Permission.objects.filter(permission_words.worth_giving())
    held = Permission.objects.filter(group__isnull=False)
    assert set(held) <= set(useful)
    assert useful.filter(codename="confirm_sending").exists()


@pytest.mark.django_db
def test_the_forms_offer_no_right_that_nothing_asks_for_and_keep_what_is_held(
    admin_client: Client,
) -> None:
    for page in ("auth_group_add", "auth_user_change"):
        args = [User.objects.get().pk] if "user" in page else []
        form = admin_client.get(reverse(f"admin:{page}", args=args)).context["adminform"].form
        field = form.fields["user_permissions" if args else "permissions"]
        offered = {str(permission.codename) for permission in field.queryset}
        assert "launch_campaign" in offered
        assert not offered & {"delete_customer", "add_chunk", "view_message", "change_campaign"}

    group = Group.objects.create(name="night shift")
    old = Permission.objects.get(codename="view_message")
    group.permissions.add(old)
    page = reverse("admin:auth_group_change", args=[group.pk])
    field = admin_client.get(page).context["adminform"].form.fields["permissions"]
    assert old in field.queryset

    admin_client.post(page, {"name": "late shift", "permissions": [old.pk]})
    assert list(group.permissions.all()) == [old]
    assert "permissions" not in AuditEntry.objects.get(action="group.changed").facts
