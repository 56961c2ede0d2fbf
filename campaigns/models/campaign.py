"""A campaign and its steps, approvals and costs."""

from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.correction import CorrectionState
from campaigns.domain.campaigns.course import StepCondition
from campaigns.domain.compliance.offers import ProductKind
from campaigns.models.budget import Budget
from campaigns.models.channel import Channel
from campaigns.models.content import Touchpoint
from campaigns.models.graph import MessageGraph
from customers.domain.consents.consent import Purpose
from customers.models import Segment


class Campaign(models.Model):
    """Whom to contact, why, and what counts as success."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    status = models.CharField(_("status"), max_length=10, default=CampaignStatus.DRAFT)
    purpose = models.CharField(_("purpose"), max_length=12, default=Purpose.MARKETING)
    # Only of service messages: some kinds may go at any hour.
    service_kind = models.CharField(_("kind of service message"), max_length=20, blank=True)
    # An offer of credit, or a service: no offer ever goes under a consent for services.
    product_kind = models.CharField(
        _("what it is about"), max_length=12, default=ProductKind.CREDIT_OFFER
    )
    segment = models.ForeignKey(Segment, null=True, on_delete=models.PROTECT, related_name="+")
    goal_event = models.CharField(_("goal event"), max_length=60)
    goal_window_days = models.PositiveSmallIntegerField(
        _("goal window in days"), default=7, validators=[MinValueValidator(1)]
    )
    holdout_share = models.DecimalField(
        _("holdout share"),
        max_digits=4,
        decimal_places=3,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(0.5)],
    )
    # Who has reached the goal since the audience was frozen gets no message any more.
    stops_at_goal = models.BooleanField(_("no message after the goal"), default=True)
    experiment_salt = models.UUIDField(default=uuid4, editable=False)
    start_at = models.DateTimeField(_("start at"), null=True, blank=True)
    # Nothing is tried from then on, whatever is left; null ends when everybody is decided about.
    end_at = models.DateTimeField(_("end at"), null=True, blank=True)
    # Whom it leaves out, as `exclusions_reading.stored_exclusions` writes it; null for nobody.
    exclusions = models.JSONField(null=True, blank=True, editable=False)
    # When it runs again, as `recurrence_reading.stored` writes it; null where it runs once.
    recurrence = models.JSONField(null=True, blank=True, editable=False)
    # What it waits for, as `trigger_reading.stored` writes it; null where it waits for nothing.
    trigger = models.JSONField(null=True, blank=True, editable=False)
    # The calendar's date of the newest run; nothing at or before it runs again.
    last_run_at = models.DateTimeField(null=True, editable=False)
    # Why no further run begins until a person releases it.
    run_hold_reason = models.CharField(max_length=60, blank=True, editable=False)
    # Those who run the system, and its author, were told of that.
    is_run_hold_told = models.BooleanField(default=False, editable=False)
    # How often the author's own mail about it was not taken, and when it is tried again, by the
    # database's clock.
    run_hold_mail_failures = models.PositiveSmallIntegerField(default=0, editable=False)
    run_hold_mail_after = models.DateTimeField(null=True, editable=False)
    # Why it was paused by itself; empty where a person paused it.
    pause_reason = models.CharField(max_length=60, blank=True, editable=False)
    is_pause_told = models.BooleanField(default=False, editable=False)
    # Since when complaints, opt-outs and failures are counted: a person has looked at those before.
    harm_since = models.DateTimeField(null=True, editable=False)
    # A pattern for other campaigns: it is copied, and is never sent itself.
    is_template = models.BooleanField(_("template"), default=False)
    # Of a campaign that waits for triggers: since when it listens.
    next_run_at = models.DateTimeField(_("next run"), null=True, editable=False)
    late_limit_hours = models.PositiveSmallIntegerField(_("latest start, hours late"), default=24)
    budget = models.ForeignKey(
        Budget,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="campaigns",
        verbose_name=_("budget"),
    )
    # Sending stops at so many messages, in all and each day; null without a limit.
    message_limit = models.PositiveIntegerField(
        _("most messages"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    daily_message_limit = models.PositiveIntegerField(
        _("most messages a day"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # Which way its messages go; written at the launch of a campaign of several messages.
    graph = models.ForeignKey(
        MessageGraph, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    cost_per_message = models.DecimalField(
        _("cost a message"), max_digits=10, decimal_places=4, null=True, blank=True
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))
    launched_at = models.DateTimeField(_("launched at"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)
    # Where people put it away; no part of what is approved.
    folder = models.CharField(_("folder"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        indexes = [
            models.Index(
                fields=["next_run_at"],
                condition=Q(next_run_at__isnull=False),
                name="campaign_runs_again",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(holdout_share__gte=0, holdout_share__lte=0.5),
                name="campaign_holdout_half_at_most",
            ),
            models.CheckConstraint(
                condition=Q(purpose=Purpose.MARKETING) | ~Q(product_kind=ProductKind.CREDIT_OFFER),
                name="campaign_offer_is_marketing",
            ),
        ]
        permissions = [
            ("author_campaign", _("Can write campaigns")),
            ("approve_campaign", _("Can approve campaigns")),
            ("send_service_messages", _("Can write service messages, sent without consent")),
            ("send_collection_messages", _("Can write messages that collect")),
            ("launch_campaign", _("Can launch, pause and cancel campaigns")),
            ("view_report", _("Can read campaign reports")),
            ("import_touches", _("Can import past campaigns")),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def budget_amount(self) -> Decimal | None:
        """Return what may be spent; None without a limit."""
        return self.budget.limit_amount if self.budget else None


class Step(models.Model):
    """One message of a campaign. A fallback serves those whom the step before did not reach."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    touchpoint = models.OneToOneField(Touchpoint, on_delete=models.PROTECT, related_name="step")
    is_fallback = models.BooleanField(_("fallback"), default=False)
    wait_minutes = models.PositiveIntegerField(
        _("minutes after the step before"),
        default=60,
        help_text=_("A fallback waits this long for reports of messages that did not arrive."),
    )

    # Whom of those in the campaign a later message is for; fallbacks have their own rule.
    condition = models.CharField(
        _("only for"), max_length=20, default=StepCondition.EVERYBODY.value
    )

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        constraints = [models.UniqueConstraint(fields=["campaign", "position"], name="step_unique")]

    def __str__(self) -> str:
        return f"Step {self.campaign_id}/{self.position}"

    @property
    def channel(self) -> Channel | None:
        """Return the channel of its touchpoint."""
        return self.touchpoint.channel


class Approval(models.Model):
    """A decision about exactly one state of a campaign, named by its digest."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="approvals")
    digest = models.CharField(max_length=64)
    # The digest of each part, so that a later change can be named.
    parts = models.JSONField(default=dict)
    is_granted = models.BooleanField(_("granted"))
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    comment = models.TextField(_("comment"), blank=True)
    at = models.DateTimeField(_("at"))
    # The number of the last edit that it covers; clocks of several hosts tell no order.
    edit_number = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")

    def __str__(self) -> str:
        return f"Approval {self.pk} of {self.campaign_id}"


class CampaignEdit(models.Model):
    """Who changed a campaign and when; nobody approves what they have changed themselves."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="edits")
    editor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("campaign edit")
        verbose_name_plural = _("campaign edits")

    def __str__(self) -> str:
        return f"CampaignEdit {self.pk} of {self.campaign_id}"


class CampaignCorrection(models.Model):
    """One correction of a campaign that was launched: what stood before, who began it and why."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="corrections")
    reason = models.CharField(_("reason"), max_length=300)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(_("started at"))
    # What was in use before: keys of `ContentVersion`, the end, the budget's limit.
    contents = models.JSONField(default=list)
    end_at = models.DateTimeField(null=True)
    budget_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    state = models.CharField(_("state"), max_length=10, default=CorrectionState.EDITING)
    # Applied or discarded; who was sent something before it was applied got what stood before.
    closed_at = models.DateTimeField(_("closed at"), null=True)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"],
                condition=Q(state__in=["editing", "in_review", "approved"]),
                name="correction_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"CampaignCorrection {self.pk} of {self.campaign_id}"


class CampaignTag(models.Model):
    """A word under which people find a campaign again; no part of what is approved."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(_("tag"), max_length=40)

    class Meta:
        verbose_name = _("campaign tag")
        verbose_name_plural = _("campaign tags")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="campaign_tag_once")
        ]
        indexes = [models.Index(fields=["name"], name="campaign_tag_name")]

    def __str__(self) -> str:
        return self.name


class CampaignCost(models.Model):
    """Money spent for a campaign beside the messages themselves."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="costs")
    category = models.CharField(_("category"), max_length=20)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    incurred_on = models.DateField(_("incurred on"))
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("campaign cost")
        verbose_name_plural = _("campaign costs")

    def __str__(self) -> str:
        return f"CampaignCost {self.pk}"
