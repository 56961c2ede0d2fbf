"""Files that were read in: the batch, its staged rows, and the rows it refused."""

from enum import StrEnum
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class ImportState(StrEnum):
    """How far a batch has come."""

    STAGING = "staging"
    MATCHING = "matching"
    APPLYING = "applying"
    DONE = "done"
    FAILED = "failed"


class ImportMode(StrEnum):
    """What an import may do."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"


class RowState(StrEnum):
    """What became of a staged row."""

    STAGED = "staged"
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MERGED = "merged"
    REJECTED = "rejected"


class ImportBatch(models.Model):
    """One file read in one run, with the mapping that was used and what came of it."""

    source = models.CharField(_("source"), max_length=60)
    file_name = models.CharField(_("file"), max_length=255)
    file_digest = models.CharField(max_length=64, blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    mapping = models.JSONField(_("mapping"), default=dict)
    mode = models.CharField(_("mode"), max_length=10)
    state = models.CharField(_("state"), max_length=10, default=ImportState.STAGING)
    is_dry_run = models.BooleanField(_("dry run"), default=False)
    row_count = models.BigIntegerField(_("rows"), default=0)
    created_count = models.BigIntegerField(_("created"), default=0)
    updated_count = models.BigIntegerField(_("updated"), default=0)
    unchanged_count = models.BigIntegerField(_("unchanged"), default=0)
    rejected_count = models.BigIntegerField(_("rejected"), default=0)
    merged_count = models.BigIntegerField(_("merged"), default=0)
    by_reason = models.JSONField(_("findings by code"), default=dict)
    quality = models.JSONField(_("quality"), default=dict)
    actor_label = models.CharField(_("actor"), max_length=150)
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("import batch")
        verbose_name_plural = _("import batches")
        indexes = [models.Index(fields=["source", "created_at"], name="import_batch_source")]

    def __str__(self) -> str:
        return f"ImportBatch {self.pk} {self.source}"


class ImportRow(models.Model):
    """One staged row: its values sealed, and the blind indexes by which its person is found.

    `leader_line` is the first line of the same person in this file. The payload is wiped as soon as
    the row is applied.
    """

    PAYLOAD_COLUMN = "customers.importrow.payload"
    DIGEST_COLUMN = "customers.importrow.digest"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="staged_rows")
    line = models.BigIntegerField(_("line"))
    leader_line = models.BigIntegerField()
    row_key = models.UUIDField(default=uuid4, editable=False)
    external_id = models.CharField(_("external id"), max_length=100)
    payload_sealed = models.BinaryField(null=True)
    row_digest = models.CharField(max_length=64)
    national_id_index = models.CharField(max_length=64, blank=True)
    phone_index = models.CharField(max_length=64, blank=True)
    email_index = models.CharField(max_length=64, blank=True)
    findings = models.JSONField(_("findings"), default=list)
    state = models.CharField(_("state"), max_length=10, default=RowState.STAGED)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = _("import row")
        verbose_name_plural = _("import rows")
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="import_row_line_unique")
        ]
        indexes = [
            models.Index(
                fields=["batch", "leader_line", "line"],
                condition=Q(state=RowState.STAGED.value),
                name="import_row_todo",
            ),
            models.Index(fields=["customer", "batch"], name="import_row_customer"),
        ]

    def __str__(self) -> str:
        return f"ImportRow {self.batch_id}/{self.line}"


class RejectedRow(models.Model):
    """A row that could not be taken in, kept sealed until somebody repairs or dismisses it."""

    CELLS_COLUMN = "customers.rejectedrow.cells"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rejected_rows")
    line = models.BigIntegerField(_("line"))
    row_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    code = models.CharField(_("reason"), max_length=40)
    column = models.CharField(_("column"), max_length=100, blank=True)
    cells_sealed = models.BinaryField()
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="rejected_row_line_unique")
        ]

    def __str__(self) -> str:
        return f"RejectedRow {self.batch_id}/{self.line}"
