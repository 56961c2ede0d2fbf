"""What fairness needs to know of audiences, and who let one pass all the same."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from customers.models import Segment, SegmentVersion
from loancrm.kernel.words.titles import numbered


class ModelAudience(models.Model):
    """A list of people that a model chose, and whom it chose them from.

    Attributes:
        base: The segment it chose from; null is everybody.
        source: What chose, such as a targeting and its version.
        score_models: The models whose scores decided.
    """

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, related_name="+")
    base = models.ForeignKey(Segment, null=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=60)
    score_models = models.JSONField(default=list)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("audience chosen by a model")
        verbose_name_plural = _("audiences chosen by a model")

    def __str__(self) -> str:
        return numbered(self)


class FairnessOverride(models.Model):
    """A reason to let a campaign pass the check of fairness; in force once a second person agrees.

    Attributes:
        groups: `attribute`, `group` and `ratio` of each finding that was accepted.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="fairness_overrides"
    )
    segment_version = models.ForeignKey(SegmentVersion, on_delete=models.CASCADE, related_name="+")
    groups = models.JSONField(default=list)
    reason = models.TextField(_("reason"), max_length=1000)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(_("requested at"))
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)

    class Meta:
        verbose_name = _("fairness override")
        verbose_name_plural = _("fairness overrides")
        permissions = [("confirm_fairnessoverride", _("Can confirm fairness overrides"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=models.F("requested_by")),
                name="fairness_override_second_person",
            )
        ]

    def __str__(self) -> str:
        return numbered(self)
