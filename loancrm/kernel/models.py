"""Tables of the kernel: the audit chain, leases, roles, and the keys that data was sealed with."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One recorded action. Each entry carries the hash of the one before it."""

    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(_("actor kind"), max_length=16)
    actor_id = models.CharField(_("actor"), max_length=150)
    actor_label = models.CharField(_("actor name"), max_length=150)
    action = models.CharField(_("action"), max_length=80)
    object_type = models.CharField(_("object type"), max_length=80)
    object_id = models.CharField(_("object"), max_length=80)
    reason = models.TextField(_("reason"), blank=True)
    facts = models.JSONField(_("facts"), default=dict)
    previous_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        indexes = [
            models.Index(fields=["object_type", "object_id", "at"], name="audit_object"),
            models.Index(fields=["actor_id", "at"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        # Read by people in lists of choices and headings.
        from loancrm.kernel.words import audit_words  # noqa: PLC0415 - its words need the loaded apps

        return f"{audit_words.action(self.action)} · {self.pk}"


class AuditHead(models.Model):
    """The end of the audit chain; locked while an entry is added, so the chain never forks."""

    entry_count = models.BigIntegerField(default=0)
    entry_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_head_single")]

    def __str__(self) -> str:
        return f"AuditHead {self.entry_count}"


class Deployment(models.Model):
    """Which installation this database belongs to, and whether it may send.

    `beat` grows with every tick and is written outside the database too: a database that is behind
    what stands there was restored, and one that finds nothing there was moved or copied.
    """

    public_id = models.UUIDField(default=uuid4, editable=False)
    epoch = models.PositiveIntegerField(default=1)
    beat = models.BigIntegerField(default=1)
    last_seen_at = models.DateTimeField()
    held_reason = models.CharField(max_length=20, blank=True)
    held_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="deployment_single")]
        permissions = [("confirm_sending", _("Can let sending go on after a restore"))]

    def __str__(self) -> str:
        return f"Deployment {self.public_id} {self.epoch}"


class Lease(models.Model):
    """A named right that one process holds until a time, such as being the leader of the tick."""

    name = models.CharField(max_length=80, unique=True)
    holder = models.CharField(max_length=120)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"Lease {self.name}"


class RoleRights(models.Model):
    """Which permissions the manifests gave a role last; all others were given by hand."""

    role = models.CharField(max_length=40, unique=True)
    given = models.JSONField(default=list)

    class Meta:
        verbose_name = _("rights of a role")
        verbose_name_plural = _("rights of roles")

    def __str__(self) -> str:
        return f"RoleRights {self.role}"


class SignInTally(models.Model):
    """How often passwords failed lately for an account, an address, or the pair of both.

    Keys are keyed digests: neither what was typed nor an address stands here.
    """

    key = models.CharField(max_length=80, unique=True)
    account = models.CharField(max_length=32, db_index=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    until = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("count of failed sign-ins")
        verbose_name_plural = _("counts of failed sign-ins")
        indexes = [models.Index(fields=["until"], name="sign_in_tally_until")]

    def __str__(self) -> str:
        return f"SignInTally {self.pk}"


class KeyRecord(models.Model):
    """A known text sealed with each key in use, so that a wrong key shows at start."""

    key_id = models.CharField(max_length=40, unique=True)
    row_key = models.UUIDField()
    check_sealed = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"KeyRecord {self.key_id}"


class KeyCheck(models.Model):
    """A fingerprint of a key that seals nothing, so that a wrong one shows at start too."""

    name = models.CharField(max_length=40, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"KeyCheck {self.name}"


class KeyRotation(models.Model):
    """How far a column has been sealed anew with a key; read after an interruption."""

    key_id = models.CharField(_("key"), max_length=40)
    column = models.CharField(_("column"), max_length=100)
    last_row_id = models.BigIntegerField(_("last row"), default=0)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("key rotation")
        verbose_name_plural = _("key rotations")
        constraints = [
            models.UniqueConstraint(fields=["key_id", "column"], name="key_rotation_unique")
        ]

    def __str__(self) -> str:
        return f"KeyRotation {self.key_id} {self.column}"
