"""Tables of the kernel: audit chain, leases, long work, roles, keys that data was sealed with."""

from enum import StrEnum
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words.phrases import PhraseField
from loancrm.kernel.words.titles import numbered


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


class WorkState(StrEnum):
    """How far a piece of long work is."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RequestedAction(StrEnum):
    """What a person asked of work that is running; its worker obeys after the page at hand."""

    NONE = ""
    PAUSE = "pause"
    CANCEL = "cancel"


class Work(models.Model):
    """One piece of long work; what it is about has a one-to-one `work` that leads here.

    Attributes:
        kind: Name of a `WorkKind` of the manifests.
        title: What it is about, beside its kind.
        step: What is being done, in words.
        checkpoint: Where the next attempt goes on; only its kind reads it.
        attempts: How often it was begun since it last got further.
        is_background: Workers do it; otherwise a command does, and nobody can steer it.
        exclusive_key: Of all work with this key only one may be open.
        holder: The worker's claim; empty while nobody works on it.
        lease_until: Until when the claim holds, by the database's clock.
        heartbeat_at: Last sign of life, by the database's clock.
        progress_at: When it last got further, or began, by the database's clock.
    """

    kind = models.CharField(_("kind"), max_length=60)
    title = PhraseField(_("title"), blank=True)
    state = models.CharField(_("state"), max_length=10, default=WorkState.WAITING)
    step = PhraseField(_("step"), blank=True)
    done_count = models.BigIntegerField(_("done in this step"), default=0)
    total_count = models.BigIntegerField(_("to do in this step"), default=0)
    checkpoint = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    requested_action = models.CharField(
        _("requested action"), max_length=10, blank=True, default=RequestedAction.NONE
    )
    last_error = PhraseField(_("problem"), blank=True)
    is_background = models.BooleanField(default=True)
    exclusive_key = models.CharField(max_length=60, blank=True)
    holder = models.CharField(_("worker"), max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    progress_at = models.DateTimeField(_("last progress"), null=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(_("actor"), max_length=150)
    created_at = models.DateTimeField(_("created at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("long work")
        verbose_name_plural = _("long work")
        constraints = [
            models.UniqueConstraint(
                fields=["exclusive_key"],
                condition=Q(state__in=["waiting", "running", "paused"]) & ~Q(exclusive_key=""),
                name="work_one_open_a_key",
            )
        ]
        indexes = [
            models.Index(
                fields=["state", "lease_until"],
                condition=Q(state__in=["waiting", "running"]),
                name="work_open",
            ),
            models.Index(fields=["kind", "-created_at"], name="work_latest"),
        ]

    def __str__(self) -> str:
        return numbered(self)

    @property
    def is_open(self) -> bool:
        """Return whether a worker has it or may take it."""
        return self.state in {WorkState.WAITING, WorkState.RUNNING}


class ChangeCursor(models.Model):
    """How far a consumer has followed a table, see `kernel.changes.feed`.

    Attributes:
        settled: Position up to which nothing is read again.
        top: Highest position seen when `top_at` was noted; becomes `settled` when all transactions
            that were open then have ended, so that rows of those which commit late are found.
        top_before: Number of the first transaction that had not begun then.
        seen: Keys read above `settled`, with their positions; `newest` is the position up to which
            nothing else was of interest, `skipped` the one up to which there was too much to read.
    """

    consumer = models.CharField(_("consumer"), max_length=40)
    table = models.CharField(_("table"), max_length=40)
    settled = models.BigIntegerField(default=0)
    top = models.BigIntegerField(default=0)
    top_at = models.DateTimeField()
    top_before = models.BigIntegerField(default=0)
    seen = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("change cursor")
        verbose_name_plural = _("change cursors")
        constraints = [
            models.UniqueConstraint(fields=["consumer", "table"], name="change_cursor_unique")
        ]

    def __str__(self) -> str:
        return f"ChangeCursor {self.consumer} {self.table}"


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
