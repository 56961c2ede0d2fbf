"""Configured ways to reach people."""

from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.domain.filing.filing import FilingDemand


class Channel(models.Model):
    """One provider account: its backend, limits and prices."""

    SECRET_COLUMN = "campaigns.channel.secret"  # noqa: S105 - the name of a column

    row_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=10)
    backend = models.CharField(_("backend"), max_length=40)
    options = models.JSONField(_("options"), default=dict, blank=True)
    secret_sealed = models.BinaryField(null=True)
    sender = models.CharField(_("sender or signature"), max_length=120, blank=True)
    cost_per_part = models.DecimalField(
        _("cost a part"), max_digits=10, decimal_places=4, default=0
    )
    # What the provider wants approved beforehand, and after how many days without use it deletes a
    # signature.
    filing_demand = models.CharField(
        _("filed with the provider"), max_length=10, blank=True, default=FilingDemand.NOTHING
    )
    filing_idle_days = models.PositiveSmallIntegerField(
        _("days until an unused signature is deleted"), null=True, blank=True
    )
    rate_per_second = models.PositiveIntegerField(_("messages a second"), null=True, blank=True)
    next_slot_at = models.DateTimeField(null=True, editable=False)
    # When slots went to what had waited longest, whatever was more urgent.
    turn_given_at = models.DateTimeField(null=True, editable=False)
    # The account's own state, kept by all workers: a pause ends by itself, by the database's clock;
    # a block only when a person says so.
    paused_until = models.DateTimeField(_("paused until"), null=True, editable=False)
    pause_reason = models.CharField(_("paused because"), max_length=60, blank=True, editable=False)
    # Since when nothing was taken, pause after pause, and whether those who run the system know.
    paused_since = models.DateTimeField(null=True, editable=False)
    pause_told_at = models.DateTimeField(null=True, editable=False)
    blocked_at = models.DateTimeField(_("blocked since"), null=True, editable=False)
    blocked_reason = models.CharField(
        _("blocked because"), max_length=120, blank=True, editable=False
    )
    # Refusals in a row that name no address, with one code; kept by all workers.
    refusals_in_a_row = models.PositiveIntegerField(default=0, editable=False)
    refused_code = models.CharField(max_length=40, blank=True, editable=False)
    refused_since = models.DateTimeField(null=True, editable=False)
    # Rounds in a row that brought no clear answer; kept by all workers. A person who lets the
    # account go on does not end them, so that one more blocks it again.
    unanswered_in_a_row = models.PositiveIntegerField(default=0, editable=False)
    # Those who run the system were told of the block.
    told_at = models.DateTimeField(null=True, editable=False)
    # A code that a person has said is about recipients: refusals with it no longer block.
    tolerated_code = models.CharField(max_length=40, blank=True, editable=False)
    # Since when complaints, opt-outs and failures are counted: a person has looked at those before.
    harm_since = models.DateTimeField(null=True, editable=False)
    tested_at = models.DateTimeField(_("tested at"), null=True, editable=False)
    test_finding = models.CharField(_("test"), max_length=40, blank=True, editable=False)
    idempotency_shown_at = models.DateTimeField(
        _("remembers keys since"), null=True, editable=False
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rate_per_second__isnull=True) | models.Q(rate_per_second__gte=1),
                name="channel_rate_is_positive",
            )
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def fallbacks(self) -> str:
        """Return the slugs of the channels that stand in for it, in their order."""
        rows = self.stand_ins.order_by("position")
        return ", ".join(rows.values_list("other__slug", flat=True))
