"""A test of a campaign's texts on a share of its people, and what was decided from it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.domain.experiments.content_test import ContentTestState
from campaigns.models.campaign import Campaign


class ContentTest(models.Model):
    """Who is written to first, by what the best text is known, and which text the rest gets."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="content_test")
    # The plan; part of what is approved.
    test_share = models.DecimalField(_("test share"), max_digits=4, decimal_places=3)
    metric = models.CharField(_("decided by"), max_length=12)
    decide_after_hours = models.PositiveSmallIntegerField(_("decided after hours"))
    without_winner = models.CharField(_("without a winner"), max_length=10)
    opted_out_margin = models.DecimalField(max_digits=5, decimal_places=4)
    complained_margin = models.DecimalField(max_digits=5, decimal_places=4)
    # The course.
    state = models.CharField(max_length=10, default=ContentTestState.READING, editable=False)
    ground = models.CharField(max_length=16, blank=True, editable=False)
    winner = models.CharField(_("variant"), max_length=10, blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )
    # What each arm had come to when it was decided.
    counts = models.JSONField(default=dict, editable=False)
    rest_started_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("test of texts")
        verbose_name_plural = _("tests of texts")

    def __str__(self) -> str:
        return f"ContentTest of {self.campaign_id}"
