"""Exports of a segment's people: who asked for which columns and why, and who agreed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.domain.exports import ExportState
from customers.models.segment import Segment, SegmentVersion
from loancrm.kernel.words.titles import numbered


class SegmentExport(models.Model):
    """One request to export; its file is made while it is downloaded and kept nowhere.

    Attributes:
        version: The rule that was asked for and agreed to; a later one does not widen the export.
        columns: Names of `ExportColumn`.
        is_unmasked: Personal data in clear was asked for.
        expires_at: Until when the approved file may be downloaded.
        row_count: Rows of the last download that came to its end.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="exports")
    version = models.ForeignKey(SegmentVersion, on_delete=models.CASCADE, related_name="+")
    columns = models.JSONField(_("columns"))
    reason = models.CharField(_("reason"), max_length=300)
    is_unmasked = models.BooleanField(_("in clear"), default=False)
    state = models.CharField(_("state"), max_length=10, default=ExportState.REQUESTED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField(_("asked for at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_note = models.CharField(_("note"), max_length=300, blank=True)
    expires_at = models.DateTimeField(_("available until"), null=True)
    download_count = models.PositiveIntegerField(_("downloads"), default=0)
    row_count = models.BigIntegerField(_("rows"), null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        permissions = [
            ("approve_segmentexport", _("Can approve exports of others")),
            ("export_unmasked", _("Can export personal data in clear")),
        ]

    def __str__(self) -> str:
        return numbered(self)
