from dataclasses import replace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User

from loancrm.kernel.manifest import MenuEntry, Role
from loancrm.kernel.manifests import ManifestRefused
from loancrm.kernel.models import RoleRights
from loancrm.kernel.roles import ensure_roles, refuse_unknown_rights

pytestmark = pytest.mark.django_db


def _user_of(role: Role) -> User:
    user = User.objects.create_user(f"one-{role}")
    user.groups.add(Group.objects.get(name=role))
    return user


# For each thing that needs two people: who makes it, and who decides about it.
FOUR_EYES = (
    ("campaigns.author_campaign", "campaigns.approve_campaign"),
    ("campaigns.author_campaign", "campaigns.add_suppression"),
    ("campaigns.author_campaign", "kernel.confirm_sending"),
    ("customers.export_customers", "customers.approve_segmentexport"),
    ("analytics.add_discoverymodel", "analytics.add_protectedoverride"),
)


@pytest.mark.parametrize(("makes", "decides"), FOUR_EYES)
def test_no_role_both_makes_and_decides(makes, decides):
    ensure_roles()

    people = {role: _user_of(role) for role in Role}
    makers = {role for role, user in people.items() if user.has_perm(makes)}
    deciders = {role for role, user in people.items() if user.has_perm(decides)}
    assert makers
    assert deciders
    assert not makers & deciders


def test_service_messages_are_written_by_whom_an_operator_has_named_and_by_no_role():
    ensure_roles()

    for role in Role:
        assert not _user_of(role).has_perm("campaigns.send_service_messages")


def test_every_role_looks_and_only_compliance_sees_personal_data_in_clear():
    ensure_roles()

    for role in Role:
        user = _user_of(role)
        assert user.has_perm("customers.view_customer")
        assert user.has_perm("customers.reveal_pii") == (role is Role.COMPLIANCE)
        asks = user.has_perm("customers.export_customers")
        agrees = user.has_perm("customers.approve_segmentexport")
        assert (asks, agrees) == (
            role is Role.MARKETER,
            role in {Role.APPROVER, Role.COMPLIANCE},
        )
        assert not user.has_perm("customers.export_unmasked")
        assert not user.has_perm("campaigns.view_partner")


def test_e4_reports_are_for_those_whom_the_table_of_grants_names():
    ensure_roles()

    readers = {role for role in Role if _user_of(role).has_perm("campaigns.view_report")}
    assert readers == {Role.MARKETER, Role.APPROVER, Role.ANALYST, Role.RISK}


RISK_WORK = (
    "analytics.add_creditassumption",
    "analytics.add_modelversion",
    "analytics.add_policyversion",
    "analytics.change_policyversion",
    "analytics.change_riskcase",
    "analytics.change_warningrule",
    "analytics.decide_riskmodel",
    "analytics.view_creditdecision",
    "analytics.view_riskcase",
    "customers.view_bureaupull",
)


def test_risk_officers_keep_models_policies_cases_and_decisions_and_marketers_none_of_it():
    ensure_roles()

    officer, marketer, steward = map(_user_of, (Role.RISK, Role.MARKETER, Role.STEWARD))
    for name in RISK_WORK:
        assert officer.has_perm(name), name
        assert not marketer.has_perm(name), name
        assert not steward.has_perm(name), name
    for name in (
        "analytics.add_targetingrun",
        "analytics.change_modelversion",
        "campaigns.author_campaign",
        "campaigns.approve_campaign",
        "customers.export_customers",
        "customers.reveal_pii",
    ):
        assert not officer.has_perm(name), name


def _held(role: Role) -> set[str]:
    rows = Group.objects.get(name=role).permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def _add(role: Role, *codenames: str) -> None:
    found = Permission.objects.filter(codename__in=codenames)
    assert len(found) == len(codenames)
    Group.objects.get(name=role).permissions.add(*found)


def _manifests_say(settings, **rights: tuple[Role, ...]):
    """Let the manifests give permissions of campaigns to other roles."""
    changed = {f"campaigns.{codename}": roles for codename, roles in rights.items()}
    kept = settings.LOANCRM_MANIFESTS
    settings.LOANCRM_MANIFESTS = replace(kept, rights={**kept.rights, **changed})


def test_a_role_holds_exactly_what_the_manifests_give_it(settings):
    ensure_roles()

    for role in Role:
        assert _held(role) == settings.LOANCRM_MANIFESTS.rights_of(role)
        assert _held(role)


def test_what_was_given_by_hand_stays_whether_or_not_anybody_asks_for_it():
    ensure_roles()
    _add(Role.ANALYST, "export_customers", "view_message", "view_chunk")
    _add(Role.STEWARD, "view_report")

    ensure_roles()

    assert {"customers.export_customers", "campaigns.view_message"} <= _held(Role.ANALYST)
    assert "campaigns.view_chunk" in _held(Role.ANALYST)
    assert "campaigns.view_report" in _held(Role.STEWARD)


def test_what_a_manifest_gives_comes_back():
    ensure_roles()
    Group.objects.get(name=Role.MARKETER).permissions.clear()
    Group.objects.get(name=Role.ANALYST).delete()

    ensure_roles()

    assert "campaigns.author_campaign" in _held(Role.MARKETER)
    assert "campaigns.view_report" in _held(Role.ANALYST)


def test_what_a_manifest_no_longer_gives_is_taken_from_that_role_alone(settings):
    ensure_roles()
    own = Group.objects.create(name="auditors of the head office")
    own.permissions.add(Permission.objects.get(codename="view_report"))
    _add(Role.STEWARD, "view_report")
    _manifests_say(settings, view_report=(Role.MARKETER,))

    ensure_roles()

    assert "campaigns.view_report" in _held(Role.MARKETER)
    assert "campaigns.view_report" not in _held(Role.APPROVER) | _held(Role.ANALYST)
    # Neither had it from a manifest.
    assert "campaigns.view_report" in _held(Role.STEWARD)
    assert own.permissions.filter(codename="view_report").exists()

    _add(Role.ANALYST, "view_report")
    ensure_roles()
    assert "campaigns.view_report" in _held(Role.ANALYST)


def test_what_a_manifest_gives_anew_is_noted_and_taken_when_it_ends(settings):
    before = settings.LOANCRM_MANIFESTS
    ensure_roles()
    _manifests_say(settings, view_partner=(Role.STEWARD,))
    ensure_roles()
    assert "campaigns.view_partner" in _held(Role.STEWARD)

    settings.LOANCRM_MANIFESTS = before
    ensure_roles()

    assert "campaigns.view_partner" not in _held(Role.STEWARD)


def test_what_was_given_by_hand_before_the_roles_were_made_stays(settings):
    RoleRights.objects.all().delete()
    for role in Role:
        Group.objects.get_or_create(name=role)
        _add(role, "view_report", "view_chunk", "export_customers")
    by_hand = {"campaigns.view_report", "campaigns.view_chunk", "customers.export_customers"}

    for _call in range(2):
        ensure_roles()
        for role in Role:
            assert _held(role) == settings.LOANCRM_MANIFESTS.rights_of(role) | by_hand


@pytest.mark.parametrize(
    ("rights", "entry"),
    [
        ({"campaigns.launch_rocket": ()}, "right campaigns.launch_rocket"),
        ({"nosuch.view_thing": ()}, "right nosuch.view_thing"),
    ],
)
def test_a_right_that_no_table_has_is_refused_with_app_and_entry(settings, rights, entry):
    kept = settings.LOANCRM_MANIFESTS
    declared = {**kept.declared_by, **{("right", name): "campaigns" for name in rights}}
    settings.LOANCRM_MANIFESTS = replace(
        kept, rights={**kept.rights, **rights}, declared_by=declared
    )

    with pytest.raises(ManifestRefused, match="no table has this permission") as refused:
        refuse_unknown_rights()

    assert (refused.value.app, refused.value.entry) == ("campaigns", entry)


def test_a_right_of_a_table_that_no_manifest_names_is_refused(settings):
    kept = settings.LOANCRM_MANIFESTS
    rights = {name: roles for name, roles in kept.rights.items() if "send_service" not in name}
    settings.LOANCRM_MANIFESTS = replace(kept, rights=rights)

    with pytest.raises(ManifestRefused, match=r"^campaigns.*campaigns\.send_service_messages"):
        refuse_unknown_rights()


def test_a_menu_entry_of_a_table_that_is_not_there_is_refused(settings):
    kept = settings.LOANCRM_MANIFESTS
    (section, entries), *others = kept.menu
    entry = MenuEntry(section=section.name, order=99, title="x", icon="x", model="customers.house")
    settings.LOANCRM_MANIFESTS = replace(
        kept,
        menu=((section, (*entries, entry)), *others),
        declared_by={**kept.declared_by, ("menu entry", "customers.house"): "customers"},
    )

    with pytest.raises(ManifestRefused, match=r"^customers.*customers\.view_house"):
        refuse_unknown_rights()


def test_nothing_starts_with_a_right_that_no_table_has(settings):
    kept = settings.LOANCRM_MANIFESTS
    settings.LOANCRM_MANIFESTS = replace(
        kept,
        rights={**kept.rights, "customers.view_house": ()},
        declared_by={**kept.declared_by, ("right", "customers.view_house"): "customers"},
    )

    with pytest.raises(ManifestRefused, match=r"^customers\.manifest: right customers\.view_house"):
        apps.get_app_config("kernel").ready()
