"""Sharing single segments and campaigns: operators only, audited, and found in the list."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from guardian.models import GroupObjectPermission, UserObjectPermission

from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel.access import Actor, PermissionRefused, user_actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.roles import ensure_roles
from loancrm.kernel.security import grants
from tests.partner_client import new_partner

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
EVERYBODY = {"combinator": "and", "rules": []}
VIEW = "customers.view_segment"


@pytest.fixture
def segment(actor, now) -> Segment:
    versions.create_segment(actor=actor, slug="other", name="Other", rule=EVERYBODY, now=now)
    return versions.create_segment(actor=actor, slug="one", name="The one", rule=EVERYBODY, now=now)


def _browser(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _address(segment: Segment) -> str:
    return reverse("admin:customers_segment_sharing", args=[segment.pk])


@pytest.mark.parametrize("role", Role)
def test_e4_no_role_shares_a_segment_with_a_partner(segment: Segment, role: Role) -> None:
    ensure_roles()
    user = User.objects.create_user("one", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    partner = new_partner("acme").partner.user
    entries = AuditEntry.objects.count()

    answer = _browser(user).post(
        _address(segment), {"holder": f"user:{partner.pk}", "permission": VIEW}
    )

    assert answer.status_code == 403
    with pytest.raises(PermissionRefused):
        grants.give(actor=user_actor(user), to=partner, permissions=[VIEW], obj=segment, now=None)  # type: ignore[arg-type] # refused before the time matters
    assert not UserObjectPermission.objects.exists()
    assert AuditEntry.objects.count() == entries


def test_e4_there_is_no_other_page_that_gives_rights(
    segment: Segment, admin_client: Client
) -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:customers_segment_permissions", args=[segment.pk])
    for number in (segment.pk, "x", 10**30):
        address = f"/admin/customers/segment/{number}/permissions/"
        assert admin_client.get(address).status_code in {302, 404}


def test_e4_an_operator_shares_and_takes_back_with_an_entry_each(
    segment: Segment, admin_client: Client
) -> None:
    partner = new_partner("acme").partner.user
    form = {"holder": f"user:{partner.pk}", "permission": VIEW}

    admin_client.post(_address(segment), form)
    assert partner.has_perm(VIEW, segment)
    assert "partner:acme" in admin_client.get(_address(segment)).content.decode()
    admin_client.post(_address(segment), form | {"remove": "1"})

    assert not UserObjectPermission.objects.exists()
    found = audit.about(segment)
    shares = found.filter(action__startswith="share_").order_by("id")
    assert [entry.action for entry in shares] == ["share_added", "share_removed"]
    assert shares[0].facts == {"holder": "user", "holder_id": partner.pk, "permissions": [VIEW]}


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"holder": "user:x", "permission": VIEW},
        {"holder": "user:²", "permission": VIEW},
        {"holder": "user:" + "9" * 40, "permission": VIEW},
        {"holder": "group:1", "permission": "auth.change_user"},
    ],
)
def test_what_cannot_be_shared_is_refused_in_words(
    segment: Segment, admin_client: Client, form: dict[str, str]
) -> None:
    answer = admin_client.post(_address(segment), form, follow=True)

    assert answer.status_code == 200
    assert not UserObjectPermission.objects.exists()
    assert not GroupObjectPermission.objects.exists()


@pytest.mark.parametrize("is_by_role", [False, True])
def test_e4_who_was_granted_one_segment_finds_it_and_no_other(
    segment: Segment, actor: Actor, now, is_by_role: bool
) -> None:
    user = User.objects.create_user("guest", is_staff=True)
    group = Group.objects.create(name="guests")
    user.groups.add(group)
    browser = _browser(user)
    address = reverse("admin:customers_segment_changelist")
    assert browser.get(address).status_code == 403

    grants.give(
        actor=actor, to=group if is_by_role else user, permissions=[VIEW], obj=segment, now=now
    )

    listed = browser.get(address)
    assert [row.slug for row in listed.context["cl"].queryset] == ["one"]
    assert "Segments" in browser.get("/admin/").content.decode()
    assert (
        browser.get(reverse("admin:customers_segment_change", args=[segment.pk])).status_code == 200
    )
    other = Segment.objects.get(slug="other")
    assert (
        browser.get(reverse("admin:customers_segment_change", args=[other.pk])).status_code == 403
    )
