import pytest
from django.contrib.auth.models import Group, Permission, User

from loancrm.kernel.roles import Role, ensure_roles

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
    compliance = Group.objects.get(name=Role.COMPLIANCE)
    own = Permission.objects.filter(
        codename__in=["author_campaign", "send_service_messages"],
        content_type__app_label="campaigns",
    )
    # As a former table of grants had it.
    compliance.permissions.add(*own)

    ensure_roles()

    for role in Role:
        assert not _user_of(role).has_perm("campaigns.send_service_messages")
    assert not compliance.permissions.filter(pk__in=own).exists()


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
