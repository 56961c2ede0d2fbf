"""What the project itself has, beside its apps: people, roles, the audit trail and common words."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loancrm.kernel.manifest import (
    AuditWords,
    Manifest,
    MenuEntry,
    Right,
    Role,
    Section,
)

MANIFEST = Manifest(
    app="loancrm",
    rights=(
        Right("auth.add_group"),
        Right("auth.change_group"),
        Right("auth.delete_group"),
        Right("auth.view_group"),
        Right("auth.add_user"),
        Right("auth.change_user"),
        Right("auth.delete_user"),
        Right("auth.view_user"),
        Right("kernel.view_auditentry", (Role.COMPLIANCE,)),
        Right("kernel.confirm_sending", (Role.APPROVER, Role.COMPLIANCE)),
    ),
    sections=(Section("overview", "", 0), Section("administration", _("Administration"), 90)),
    menu=(
        MenuEntry(
            section="overview",
            order=10,
            title=_("Overview"),
            icon="dashboard",
            page="admin:index",
            permission=None,
        ),
        MenuEntry(
            section="administration", order=10, title=_("Users"), icon="person", model="auth.user"
        ),
        MenuEntry(
            section="administration", order=20, title=_("Roles"), icon="badge", model="auth.group"
        ),
        MenuEntry(
            section="administration",
            order=60,
            title=_("Audit trail"),
            icon="policy",
            model="kernel.auditentry",
        ),
    ),
    append_only=("kernel.AuditEntry",),
    api_urls=("loancrm.api.urls",),
    audit_words=AuditWords(
        subjects={
            "audit": _("Audit trail"),
            "deployment": _("Installation"),
            "keys": _("Keys"),
            "sign_in": _("Sign-in"),
            "user": _("User"),
        },
        deeds={
            "add": _("added"),
            "added": _("added"),
            "apply": _("applied"),
            "approved": _("approved"),
            "begun": _("begun"),
            "broken": _("found broken"),
            "cancelled": _("cancelled"),
            "change": _("changed"),
            "changed": _("changed"),
            "close": _("closed"),
            "completed": _("completed"),
            "confirm": _("confirmed"),
            # Elsewhere the word heads a column of times.
            "create": pgettext_lazy("deed", "created"),
            "created": pgettext_lazy("deed", "created"),
            "delete": _("deleted"),
            "deleted": _("deleted"),
            "draft": _("back to draft"),
            "edit": _("changed"),
            "ended": _("ended"),
            "export": _("exported"),
            "import": _("imported"),
            "lift": _("taken off"),
            "look": _("looked at"),
            "paused": _("paused"),
            "publish": _("published"),
            "read": _("read"),
            "record": _("recorded"),
            "recorded": _("recorded"),
            "refresh": _("refreshed"),
            "reopened": _("opened again"),
            "request": _("received"),
            "restore_accepted": _("restore accepted"),
            "resumed": _("resumed"),
            "retire": _("retired"),
            "rotate": _("changed over"),
            "running": _("launched"),
            "sending_confirmed": _("sending confirmed"),
            "settle": _("settled"),
            "sign_in_failed": _("sign-in failed"),
            "sign_in_released": _("sign-in released"),
            "signed_in": _("signed in"),
            "signed_out": _("signed out"),
            "started": _("started"),
            "stop": _("taken out of use"),
            "store": _("stored"),
            "updated": _("changed"),
            "verified": _("verified"),
            "withdraw": _("withdrawn"),
        },
        whole={
            "share_added": _("Shared with a person or role"),
            "share_removed": _("Sharing ended"),
        },
    ),
)
