"""The roles that every installation starts with: groups of users and what they may do.

Approving and authoring are never in one role: four eyes need two people. Writing service messages,
which go without a consent, is in none: an operator gives it to single marketers.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words import permission_words

_APPS = ("customers", "campaigns", "analytics")
# Keys and raw calls of partners are the administrators' business.
_NOT_SHOWN = (
    "view_partner",
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


# A group is stored under its role's name; people read these.
_NAMES: Mapping[str, Any] = {
    Role.MARKETER: _("Marketer"),
    Role.APPROVER: _("Approver"),
    Role.ANALYST: _("Analyst"),
    Role.STEWARD: _("Data steward"),
    Role.COMPLIANCE: _("Compliance officer"),
}

# What a role of this table once held and no longer does.
_TAKEN_BACK: Mapping[Role, tuple[str, ...]] = {
    Role.STEWARD: ("campaigns.view_report",),
    Role.COMPLIANCE: (
        "campaigns.view_report",
        "campaigns.author_campaign",
        "campaigns.send_service_messages",
    ),
}

# Beside looking at everything of the three apps.
_GRANTS: Mapping[Role, tuple[str, ...]] = {
    Role.MARKETER: (
        "analytics.add_discoverymodel",
        "customers.import_customers",
        "customers.add_segment",
        "customers.change_segment",
        "customers.delete_segment",
        "customers.export_customers",
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
        "campaigns.add_suppression",
        "campaigns.change_suppression",
        "customers.change_privacyrequest",
        "customers.change_unclearconsent",
        "kernel.confirm_sending",
        "kernel.view_auditentry",
    ),
}


def read(group_name: str) -> str:
    """Return the name of a group as people read it; one that they made has their own words."""
    return str(_NAMES.get(group_name, group_name))


def ensure_roles() -> None:
    """Create the groups where they are missing and give them their permissions.

    Permissions that somebody added to a group by hand stay, except those that the table itself gave
    once and no longer gives: nothing tells by whose hand such a group has them. Whoever wants them
    for further people gives them to a group of their own.
    """
    known = Permission.objects.filter(content_type__app_label__in=_APPS)
    asked = known.filter(permission_words.worth_giving())
    viewing = asked.filter(codename__startswith="view_").exclude(codename__in=_NOT_SHOWN)
    # Earlier tables gave the looking at everything, whether or not a page shows it.
    unasked = _keys(known.exclude(pk__in=asked.values("pk")))
    shown, by_name = _keys(viewing), _keys_by_name()
    for role, grants in _GRANTS.items():
        group, _created = Group.objects.get_or_create(name=role)
        held = _keys(group.permissions.all())
        wanted = shown | _named(grants, by_name)
        group.permissions.remove(
            *held & (unasked | _named(_TAKEN_BACK.get(role, ()), by_name)) - wanted
        )
        group.permissions.add(*wanted - held)


def _keys(permissions: QuerySet[Permission]) -> set[int]:
    return set(permissions.order_by().values_list("pk", flat=True))


def _keys_by_name() -> dict[str, int]:
    rows = Permission.objects.order_by().values_list("content_type__app_label", "codename", "pk")
    return {f"{app_label}.{codename}": key for app_label, codename, key in rows}


def _named(names: Iterable[str], by_name: dict[str, int]) -> set[int]:
    return {by_name[name] for name in names if name in by_name}
