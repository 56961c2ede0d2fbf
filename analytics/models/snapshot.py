"""Figures that were reported, kept as they were at their time."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MetricSnapshot(models.Model):
    """One stored figure of one subject, such as a campaign."""

    subject_type = models.CharField(_("subject type"), max_length=20)
    subject_id = models.CharField(_("subject"), max_length=100)
    metric = models.CharField(_("metric"), max_length=60)
    filters = models.CharField(_("filters"), max_length=200, blank=True)
    window_kind = models.CharField(_("window"), max_length=20)
    window_length = models.PositiveIntegerField(
        _("window length"), default=0, help_text=_("0 means without limit.")
    )
    window_unit = models.CharField(_("window unit"), max_length=8)
    as_of = models.DateTimeField(_("as of"))
    value = models.DecimalField(_("value"), max_digits=24, decimal_places=8, null=True)
    numerator = models.DecimalField(_("numerator"), max_digits=24, decimal_places=4, null=True)
    denominator = models.DecimalField(_("denominator"), max_digits=24, decimal_places=4, null=True)
    low = models.DecimalField(_("interval from"), max_digits=24, decimal_places=8, null=True)
    high = models.DecimalField(_("interval to"), max_digits=24, decimal_places=8, null=True)
    excluded_count = models.BigIntegerField(_("not yet mature"), default=0)
    note = models.CharField(_("note"), max_length=20, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("metric snapshot")
        verbose_name_plural = _("metric snapshots")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "subject_type",
                    "subject_id",
                    "metric",
                    "filters",
                    "window_kind",
                    "window_length",
                    "as_of",
                ],
                name="metric_snapshot_unique",
            )
        ]
        indexes = [
            models.Index(
                fields=["subject_type", "subject_id", "metric", "as_of"], name="metric_snapshot_of"
            )
        ]

    def __str__(self) -> str:
        return f"MetricSnapshot {self.pk}"
