"""The loan book as it was at the end of every month: derived, and derived anew by a job."""

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from customers.models import Loan


class LoanHistory(models.Model):
    """When one loan first was so many days past due, and its default; one row a loan with a plan.

    Attributes:
        cohort: First day of the month of disbursement.
        month_30: Months on book by which 30 days past due were reached; empty if never.
        defaulted_on: The first day 90 days past due, or the charge-off if that is earlier.
        default_cents: Principal owed on that day.
    """

    loan = models.OneToOneField(
        Loan, verbose_name=_("loan"), on_delete=models.CASCADE, related_name="+"
    )
    cohort = models.DateField(_("month of disbursement"))
    booked_on = models.DateField(_("disbursed on"))
    amount_cents = models.BigIntegerField(_("amount lent, in cents"))
    month_30 = models.PositiveSmallIntegerField(_("month of 30 days past due"), null=True)
    month_60 = models.PositiveSmallIntegerField(_("month of 60 days past due"), null=True)
    month_90 = models.PositiveSmallIntegerField(_("month of 90 days past due"), null=True)
    defaulted_on = models.DateField(_("defaulted on"), null=True)
    default_cents = models.BigIntegerField(_("owed at default, in cents"), null=True)
    as_of = models.DateField(_("as of"))

    class Meta:
        verbose_name = _("history of a loan")
        verbose_name_plural = _("histories of loans")
        indexes = [
            models.Index(fields=["cohort"], name="loan_history_cohort"),
            models.Index(
                fields=["defaulted_on"],
                condition=models.Q(defaulted_on__isnull=False),
                name="loan_history_default",
            ),
        ]

    def __str__(self) -> str:
        return f"Loan history {self.pk}"


class LoanMonthEnd(models.Model):
    """One loan at the end of one month, and how its balance came to be; whole cents.

    States are those of `BookState`. That opening + new − paid − charged off = closing is held by
    the database.
    """

    loan = models.ForeignKey(
        Loan, verbose_name=_("loan"), on_delete=models.CASCADE, related_name="+"
    )
    month = models.DateField(_("month"))
    opening = models.CharField(_("state before"), max_length=12)
    closing = models.CharField(_("state after"), max_length=12)
    dpd_days = models.IntegerField(_("days past due"))
    opening_cents = models.BigIntegerField(_("opening balance, in cents"))
    new_cents = models.BigIntegerField(_("newly lent, in cents"))
    paid_cents = models.BigIntegerField(_("paid, in cents"))
    charged_off_cents = models.BigIntegerField(_("charged off, in cents"))
    closing_cents = models.BigIntegerField(_("closing balance, in cents"))

    class Meta:
        verbose_name = _("month-end of a loan")
        verbose_name_plural = _("month-ends of loans")
        constraints = [
            models.UniqueConstraint(fields=["loan", "month"], name="loan_month_end_unique"),
            models.CheckConstraint(
                condition=models.Q(
                    closing_cents=F("opening_cents")
                    + F("new_cents")
                    - F("paid_cents")
                    - F("charged_off_cents")
                ),
                name="loan_month_end_adds_up",
            ),
        ]
        indexes = [models.Index(fields=["month", "opening", "closing"], name="loan_month_end_roll")]

    def __str__(self) -> str:
        return f"Loan month-end {self.pk}"
