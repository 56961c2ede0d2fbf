import pytest
from django.contrib.auth.models import Group, Permission, User

from loancrm.kernel.roles import Role, ensure_roles

pytestmark = pytest.mark.django_db


def _user_of(role: Role) -> User:
    user = User.objects.create_user(f"one-{role}")
    user.groups.add(Group.objects.get(name=role))
    return user


def test_no_role_both_writes_and_approves_campaigns():
    ensure_roles()

    for role in Role:
        user = _user_of(role)
        writes = user.has_perm("campaigns.author_campaign")
        approves = user.has_perm("campaigns.approve_campaign")
        # Compliance writes service messages, which nobody else may.
        assert writes == (role in {Role.MARKETER, Role.COMPLIANCE})
        assert approves == (role is Role.APPROVER)


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


def test_a_second_run_keeps_what_was_added_by_hand():
    ensure_roles()
    group = Group.objects.get(name=Role.ANALYST)
    extra = Permission.objects.get(codename="export_customers")
    group.permissions.add(extra)

    ensure_roles()

    assert extra in group.permissions.all()


def test_e4_reports_are_for_those_whom_the_table_of_grants_names():
    ensure_roles()

    readers = {role for role in Role if _user_of(role).has_perm("campaigns.view_report")}
    assert readers == {Role.MARKETER, Role.APPROVER, Role.ANALYST}


def test_e4_a_group_that_exists_loses_what_the_table_gave_once_and_keeps_the_rest():
    ensure_roles()
    reports = Permission.objects.get(codename="view_report")
    by_hand = Permission.objects.get(codename="export_customers")
    for group in Group.objects.all():
        group.permissions.add(reports, by_hand)
    own = Group.objects.create(name="auditors of the head office")
    own.permissions.add(reports)

    ensure_roles()

    readers = {role for role in Role if _user_of(role).has_perm("campaigns.view_report")}
    assert readers == {Role.MARKETER, Role.APPROVER, Role.ANALYST}
    assert all(by_hand in Group.objects.get(name=role).permissions.all() for role in Role)
    assert reports in own.permissions.all()
