"""What figures of credit take for granted, with who said so, why and since when."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words.titles import numbered


class CreditAssumption(models.Model):
    """One value of one assumption; a new value is a new row, and the last one holds.

    Attributes:
        name: One of `AssumptionName`.
    """

    name = models.CharField(_("assumption"), max_length=40)
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=6)
    source = models.TextField(
        _("source"),
        max_length=500,
        help_text=_("Where the value comes from: a study, a contract, a decision with its date."),
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("recorded by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("credit assumption")
        verbose_name_plural = _("credit assumptions")
        indexes = [models.Index(fields=["name", "recorded_at"], name="credit_assumption_latest")]

    def __str__(self) -> str:
        return numbered(self)


class CreditEstimate(models.Model):
    """One value as the loan book told it on one day; an absent one is not known from the book.

    Attributes:
        name: One of `AssumptionName`.
        low: Lower end of the 95 % interval, as `high`; empty where there is none.
        details: What else there is to see, such as the curve of recoveries.
    """

    name = models.CharField(_("assumption"), max_length=40)
    value = models.FloatField(_("value"))
    low = models.FloatField(_("interval from"), null=True)
    high = models.FloatField(_("interval to"), null=True)
    case_count = models.PositiveIntegerField(_("cases"))
    details = models.JSONField(_("details"), default=dict)
    as_of = models.DateField(_("as of"))

    class Meta:
        verbose_name = _("credit estimate")
        verbose_name_plural = _("credit estimates")
        constraints = [
            models.UniqueConstraint(fields=["name", "as_of"], name="credit_estimate_unique")
        ]

    def __str__(self) -> str:
        return numbered(self)
