"""Early warning: rules, alerts while they last, and the cases that people work on."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from loancrm.kernel.models import Work


class WarningRule(models.Model):
    """What is looked for; see `analytics.domain.warning.rules`."""

    name = models.SlugField(_("name"), max_length=60, unique=True)
    signal = models.CharField(_("signal"), max_length=30)
    severity = models.CharField(_("severity"), max_length=10)
    action = models.CharField(_("what to do"), max_length=20)
    days = models.PositiveIntegerField(_("days"), default=0)
    window_days = models.PositiveIntegerField(_("window in days"), default=0)
    count = models.PositiveIntegerField(_("number"), default=0)
    level = models.DecimalField(_("level"), max_digits=9, decimal_places=6, default=0)
    rise = models.DecimalField(_("rise"), max_digits=9, decimal_places=6, default=0)
    rate = models.DecimalField(_("expected rate"), max_digits=9, decimal_places=6, default=0)
    cool_down_days = models.PositiveIntegerField(_("days without a new alert"), default=30)
    answer_hours = models.PositiveIntegerField(_("to be looked at within hours"), default=72)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Who gets its cases first."),
    )
    score_model = models.CharField(
        _("score"),
        max_length=60,
        blank=True,
        help_text=_("Empty: the score of the champion for the risk of default."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("warning rule")
        verbose_name_plural = _("warning rules")

    def __str__(self) -> str:
        return self.name


class RiskAlert(models.Model):
    """One episode of a rule about one person or group: from when it holds until it does not.

    Attributes:
        customer: Whom it is about; none where it is about a group.
        group: A segment's slug or a source's name.
        facts: Numbers and days of the finding, no names.
        end_reason: One of `AlertEnd` once it has ended.
    """

    rule = models.ForeignKey(WarningRule, on_delete=models.PROTECT, related_name="alerts")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE, related_name="+")
    group = models.CharField(_("group"), max_length=80, blank=True)
    severity = models.CharField(_("severity"), max_length=10)
    facts = models.JSONField(_("what was found"), default=dict)
    opened_at = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen"))
    ended_at = models.DateTimeField(_("until"), null=True)
    end_reason = models.CharField(_("why it ended"), max_length=10, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            # One episode of a rule about somebody at a time, whatever runs beside it.
            models.UniqueConstraint(
                fields=["rule", "customer"],
                condition=Q(ended_at=None, customer__isnull=False),
                name="risk_alert_one_open",
            ),
            models.UniqueConstraint(
                fields=["rule", "group"],
                condition=Q(ended_at=None, customer=None),
                name="risk_alert_one_open_group",
            ),
            models.CheckConstraint(
                condition=Q(customer=None, group__gt="") | Q(customer__isnull=False, group=""),
                name="risk_alert_about_one",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "ended_at"], name="risk_alert_customer"),
            models.Index(fields=["opened_at"], name="risk_alert_opened"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class RiskCase(models.Model):
    """What people do about an alert: who, until when, and what came of it."""

    alert = models.OneToOneField(RiskAlert, on_delete=models.CASCADE, related_name="case")
    state = models.CharField(_("state"), max_length=10)
    action = models.CharField(_("what to do"), max_length=20)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    due_at = models.DateTimeField(_("to be looked at by"))
    taken_at = models.DateTimeField(_("taken over at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=12, blank=True)
    note = models.TextField(_("note"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        indexes = [models.Index(fields=["state", "due_at"], name="risk_case_due")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class WarningBacktest(models.Model):
    """A replay of the past: what the rules would have raised, and what came of it.

    Attributes:
        parameters: As `analytics.domain.warning.backtest.BacktestChoices` writes them.
        result: What the page shows; empty until it is done.
    """

    work = models.OneToOneField(Work, on_delete=models.CASCADE, related_name="+")
    parameters = models.JSONField(_("choices"))
    result = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("replay of the past")
        verbose_name_plural = _("replays of the past")

    def __str__(self) -> str:
        return f"#{self.pk}"
