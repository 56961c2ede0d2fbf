"""Files that were read in: the batch, its staged rows, and the rows it refused."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.domain.imports.states import ChangeOutcome, ImportState, RowState
from customers.models.customer import Customer
from loancrm.kernel.models import Work
from loancrm.kernel.words.titles import numbered

_AT_REST = frozenset({ImportState.PAUSED, ImportState.FAILED, ImportState.STOPPED})


class ImportBatch(models.Model):
    """One file that was read, with the mapping that was used and what came of it.

    Its `work` says who is working on it and how far it is; a draft has none yet. What is stored
    here of its state is written together with it.
    """

    work = models.OneToOneField(Work, null=True, on_delete=models.CASCADE, related_name="+")

    source = models.CharField(_("source"), max_length=60)
    file_name = models.CharField(_("file"), max_length=255)
    file_digest = models.CharField(max_length=64, blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    mapping = models.JSONField(_("mapping"), default=dict)
    mode = models.CharField(_("mode"), max_length=10)
    state = models.CharField(_("state"), max_length=10, default=ImportState.STAGING)
    is_dry_run = models.BooleanField(_("dry run"), default=False)
    row_count = models.BigIntegerField(_("rows"), default=0)
    created_count = models.BigIntegerField(pgettext_lazy("rows", "created"), default=0)
    updated_count = models.BigIntegerField(pgettext_lazy("rows", "updated"), default=0)
    unchanged_count = models.BigIntegerField(_("unchanged"), default=0)
    rejected_count = models.BigIntegerField(_("rejected"), default=0)
    merged_count = models.BigIntegerField(_("merged"), default=0)
    by_reason = models.JSONField(_("findings by code"), default=dict)
    quality = models.JSONField(_("quality"), default=dict)
    limits = models.JSONField(_("limits"), default=dict)
    exceeded = models.JSONField(_("limits exceeded"), default=list)
    is_released = models.BooleanField(_("released over its limits"), default=False)
    undo = models.JSONField(_("undo"), default=dict)
    actor_label = models.CharField(_("actor"), max_length=150)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("import batch")
        verbose_name_plural = _("import batches")
        indexes = [models.Index(fields=["source", "created_at"], name="import_batch_source")]

    def __str__(self) -> str:
        return numbered(self)

    @property
    def shown_state(self) -> str:
        """Return the state as people see it: what was taken up again waits for its worker."""
        is_taken_up = self.state in _AT_REST and self.work is not None and self.work.is_open
        return ImportState.QUEUED if is_taken_up else self.state


class ImportRow(models.Model):
    """One staged row: its values sealed, and the blind indexes by which its person is found.

    `leader_line` is the first line of the same person in this file; a row that `is_alone` shares no
    id, number or contact with any other row. A customer created from the row takes `row_key` as
    public id. The content is wiped as soon as the row is applied.
    """

    DIGEST_COLUMN = "customers.importrow.digest"

    # Both are kept by Django; asked by the database for every row, they cost a tenth of the import.
    batch = models.ForeignKey(
        ImportBatch,
        on_delete=models.CASCADE,
        related_name="staged_rows",
        db_index=False,
        db_constraint=False,
    )
    line = models.BigIntegerField(_("line"))
    leader_line = models.BigIntegerField()
    row_key = models.UUIDField(default=uuid4, editable=False)
    external_id = models.CharField(_("external id"), max_length=100)
    content = models.JSONField(null=True)
    row_digest = models.CharField(max_length=64)
    national_id_index = models.CharField(max_length=64, blank=True)
    phone_index = models.CharField(max_length=64, blank=True)
    email_index = models.CharField(max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=10, default=RowState.STAGED)
    is_repaired = models.BooleanField(_("repaired"), db_default=False)
    is_alone = models.BooleanField(default=True)
    customer = models.ForeignKey(
        Customer,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

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
            models.Index(
                fields=["customer", "batch"],
                condition=Q(customer__isnull=False),
                name="import_row_customer",
            ),
        ]

    def __str__(self) -> str:
        return f"ImportRow {self.batch_id}/{self.line}"


class RejectedRow(models.Model):
    """A row that could not be taken in, kept sealed until somebody repairs it and runs it again.

    `cells_sealed` holds the cells by column, or with `is_person` those of a row that had been read,
    by target of the mapping; it is null once the time of keeping them is over.
    """

    CELLS_COLUMN = "customers.rejectedrow.cells"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rejected_rows")
    line = models.BigIntegerField(_("line"))
    row_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    code = models.CharField(_("reason"), max_length=40)
    column = models.CharField(_("column"), max_length=100, blank=True)
    # Every finding that the batch counts because of this row.
    codes = models.JSONField(_("findings"), default=list)
    cells_sealed = models.BinaryField(null=True)
    is_person = models.BooleanField(default=False)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="rejected_row_line_unique")
        ]

    def __str__(self) -> str:
        return f"RejectedRow {self.batch_id}/{self.line}"


class ImportFinding(models.Model):
    """What was noticed in a line of a file that was taken in all the same, its cell masked.

    Of each finding the first lines are kept, enough to see what it is about.
    """

    batch = models.ForeignKey(
        ImportBatch, on_delete=models.CASCADE, related_name="findings", db_index=False
    )
    code = models.CharField(_("finding"), max_length=40)
    line = models.BigIntegerField(_("line"))
    column = models.CharField(_("column"), max_length=100, blank=True)
    shown = models.CharField(_("cell, masked"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("finding of an import")
        verbose_name_plural = _("findings of an import")
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "code", "line", "column"], name="import_finding_unique"
            )
        ]

    def __str__(self) -> str:
        return f"ImportFinding {self.batch_id}/{self.line} {self.code}"


class ImportFilePart(models.Model):
    """A piece of an uploaded file, sealed, so that any worker on any host can read it.

    Number -1 is no piece but a look at the file's top, kept while its mapping is being built.
    """

    CONTENT_COLUMN = "customers.importfilepart.content"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="file_parts")
    number = models.IntegerField()
    row_key = models.UUIDField(default=uuid4, editable=False)
    content_sealed = models.BinaryField()

    class Meta:
        verbose_name = _("file part")
        verbose_name_plural = _("file parts")
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="import_file_part_unique")
        ]

    def __str__(self) -> str:
        return f"ImportFilePart {self.batch_id}/{self.number}"


class ImportChange(models.Model):
    """What stood somewhere before an import changed it, sealed, and what the import wrote there.

    Only changes of customers who were there before; a created customer needs no memory. `after` is
    the written value as text, for names and identity numbers its blind index.
    """

    BEFORE_COLUMN = "customers.importchange.before"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="changes")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=12)
    name = models.CharField(_("name"), max_length=100)
    row_key = models.UUIDField(default=uuid4, editable=False)
    before_sealed = models.BinaryField()
    after = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(_("undo"), max_length=10, blank=True, default=ChangeOutcome.OPEN)

    class Meta:
        verbose_name = _("change of an import")
        verbose_name_plural = _("changes of an import")
        indexes = [models.Index(fields=["batch", "outcome", "id"], name="import_change_todo")]

    def __str__(self) -> str:
        return f"ImportChange {self.batch_id}/{self.pk} {self.kind}"
