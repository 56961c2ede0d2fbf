"""What is filed with a provider, and who stands in for a provider that is down."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.domain.filing.filing import FilingKind, FilingStatus
from campaigns.models.channel import Channel


class Filing(models.Model):
    """A signature or a template of text messages, filed with one provider account."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="filings")
    kind = models.CharField(_("kind"), max_length=10, default=FilingKind.SIGNATURE)
    # The signature without its brackets, or what the template is called here.
    name = models.CharField(_("signature or name"), max_length=60)
    text = models.TextField(_("text as filed"), max_length=1000, blank=True)
    provider_code = models.CharField(_("provider's number"), max_length=80, blank=True)
    # What each of the provider's variables holds, as texts say it.
    variables = models.JSONField(_("variables"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=10, default=FilingStatus.DRAFT)
    evidence = models.CharField(_("evidence"), max_length=200, blank=True)
    refusal = models.CharField(_("why it was refused or cleared"), max_length=300, blank=True)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    expires_on = models.DateField(_("approved until"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)

    class Meta:
        verbose_name = _("filing")
        verbose_name_plural = _("filings")
        constraints = [
            models.UniqueConstraint(fields=["channel", "kind", "name"], name="filing_unique"),
            models.CheckConstraint(
                condition=~Q(status=FilingStatus.APPROVED) | Q(decided_at__isnull=False),
                name="filing_approved_is_dated",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StandIn(models.Model):
    """Which channel sends where another one is down, in order."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="stand_ins")
    other = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("fall-over channel")
        verbose_name_plural = _("fall-over channels")
        constraints = [
            models.UniqueConstraint(fields=["channel", "other"], name="stand_in_once"),
            models.UniqueConstraint(fields=["channel", "position"], name="stand_in_order"),
            models.CheckConstraint(
                condition=~Q(channel=models.F("other")), name="stand_in_is_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} → {self.other_id}"
