"""The roles that every installation starts with: groups of users and what they may do.

Approving and authoring are never in one role: four eyes need two people.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

_APPS = ("customers", "campaigns", "analytics")
# Keys and raw calls of partners are the administrators' business.
_NOT_SHOWN = (
    *("view_idempotencykey", "view_partner", "view_importrow", "view_rejectedrow"),
    # Who is tied to whom is for risk only, and looked at with a purpose.
    *("view_relationship", "view_sharedkey", "view_sharedtie"),
    # A right of its own beside looking at rows, given by name below.
    "view_report",
)


class Role(StrEnum):
    """Name of a group."""

    MARKETER = "marketer"
    APPROVER = "approver"
    ANALYST = "analyst"
    STEWARD = "steward"
    COMPLIANCE = "compliance"


# What every role once held for looking at everything: who is not named below loses it again.
_BY_NAME_NOW = ("campaigns.view_report",)

# Beside looking at everything of the three apps.
_GRANTS: Mapping[Role, tuple[str, ...]] = {
    Role.MARKETER: (
        "analytics.add_discoverymodel",
        "customers.import_customers",
        "customers.add_segment",
        "customers.change_segment",
        "customers.delete_segment",
        "customers.export_customers",
        "campaigns.add_campaign",
        "campaigns.change_campaign",
        "campaigns.delete_campaign",
        "campaigns.author_campaign",
        "campaigns.launch_campaign",
        "campaigns.view_report",
    ),
    Role.APPROVER: (
        "campaigns.approve_campaign",
        "customers.approve_segmentexport",
        "campaigns.launch_campaign",
        "campaigns.view_report",
        "kernel.confirm_sending",
    ),
    Role.ANALYST: ("analytics.add_discoverymodel", "campaigns.view_report"),
    Role.STEWARD: ("customers.import_customers", "customers.merge_customers"),
    Role.COMPLIANCE: (
        "analytics.add_protectedoverride",
        "customers.read_relationships",
        "customers.reveal_pii",
        "customers.add_datasource",
        "customers.change_datasource",
        "customers.approve_segmentexport",
        "campaigns.author_campaign",
        "campaigns.send_service_messages",
        "campaigns.add_suppression",
        "campaigns.change_suppression",
        "customers.change_privacyrequest",
        "kernel.confirm_sending",
        "kernel.view_auditentry",
    ),
}


def ensure_roles() -> None:
    """Create the groups where they are missing and give them their permissions.

    Permissions that somebody added to a group by hand stay, except those that the table itself gave
    once and no longer gives: nothing tells by whose hand such a group has them. Whoever wants them
    for further people gives them to a group of their own.
    """
    viewing = Permission.objects.filter(
        content_type__app_label__in=_APPS, codename__startswith="view_"
    ).exclude(codename__in=_NOT_SHOWN)
    for role, grants in _GRANTS.items():
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.remove(*_named(name for name in _BY_NAME_NOW if name not in grants))
        group.permissions.add(*viewing, *_named(grants))


def _named(names: Iterable[str]) -> QuerySet[Permission]:
    wanted = Q(pk__in=[])
    for name in names:
        app_label, codename = name.split(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return Permission.objects.filter(wanted)
