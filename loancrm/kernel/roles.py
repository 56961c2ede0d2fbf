"""The roles that every installation starts with: groups of users and what they may do.

What each may do stands in the manifests of the apps. Approving and authoring are never in one role:
four eyes need two people. Where one craft does both, as risk officers do with models of risk and
credit policies, the service asks for two people instead. Writing service messages, which go without
a consent, is in none: an operator gives it to single marketers.
"""

from collections.abc import Iterable

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.manifest import Role
from loancrm.kernel.manifests import ManifestRefused
from loancrm.kernel.models import RoleRights
from loancrm.kernel.words import permission_words
from loancrm.kernel.words.vocabulary import Vocabulary

# A group is stored under its role's name; people read these.
NAMES = Vocabulary(
    Role,
    {
        Role.MARKETER: _("Marketer"),
        Role.APPROVER: _("Approver"),
        Role.ANALYST: _("Analyst"),
        Role.STEWARD: _("Data steward"),
        Role.COMPLIANCE: _("Compliance officer"),
        Role.RISK: _("Risk officer"),
    },
)


def read(group_name: str) -> str:
    """Return the name of a group as people read it; one that they made has their own words."""
    return NAMES.label(group_name) if group_name in NAMES else group_name


def has_table() -> bool:
    """Return whether gifts can be noted: not where the kernel was migrated back."""
    return RoleRights._meta.db_table in connection.introspection.table_names()  # noqa: SLF001 - Django's documented way to a table's name


def ensure_roles() -> None:
    """Create the groups where they are missing and give them what the manifests say.

    What a manifest gives is always there, and what one gave once and no longer gives is taken. Any
    other permission that somebody gave to a group by hand stays, also to one that was there before
    the first call: it is noted which were given here.
    """
    for role in Role:
        with transaction.atomic():
            _ensure(role, settings.LOANCRM_MANIFESTS.rights_of(role))


def _ensure(role: Role, wanted: Iterable[str]) -> None:
    group, _created = Group.objects.get_or_create(name=role)
    # Locked, so that of two that start at once the second finds what the first has noted.
    note = RoleRights.objects.select_for_update().filter(role=role).first()
    former = permission_words.among(note.given if note else ())
    named = permission_words.among(wanted)
    group.permissions.remove(*Permission.objects.filter(former).exclude(named))
    group.permissions.add(*Permission.objects.filter(named))
    RoleRights.objects.update_or_create(role=role, defaults={"given": sorted(wanted)})


def refuse_unknown_rights() -> None:
    """Hold what manifests say of permissions against the tables, once all are loaded.

    Raises:
        ManifestRefused: A right or menu entry names a permission that no table has, or a table has
            a permission of its own that no manifest names.
    """
    manifests = settings.LOANCRM_MANIFESTS
    usual, own = _permissions_of_tables()
    for name in manifests.rights:
        if name not in usual | own:
            app = manifests.declared_by["right", name]
            raise ManifestRefused(app, f"right {name}", "no table has this permission")
    for _section, entries in manifests.menu:
        for entry in entries:
            if entry.needed is not None and entry.needed not in usual | own:
                app = manifests.declared_by["menu entry", entry.target]
                fault = f"no table has the permission {entry.needed}"
                raise ManifestRefused(app, f"menu entry {entry.target}", fault)
    apps_of = {
        name.partition(".")[0]: manifests.declared_by["right", name] for name in manifests.rights
    }
    for name in sorted(own - manifests.rights.keys()):
        if owner := apps_of.get(name.partition(".")[0]):
            fault = "a table has this permission, and no manifest names it"
            raise ManifestRefused(owner, f"right {name}", fault)


def _permissions_of_tables() -> tuple[set[str], set[str]]:
    """Return the permissions that Django makes for tables, and those that tables name."""
    usual: set[str] = set()
    own: set[str] = set()
    for model in apps.get_models():
        options = model._meta  # noqa: SLF001 - Django's documented way to a model's names
        label = options.app_label
        usual |= {f"{label}.{deed}_{options.model_name}" for deed in options.default_permissions}
        own |= {f"{label}.{codename}" for codename, _words in options.permissions}
    return usual, own
