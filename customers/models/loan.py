"""What the lender offers and what customers owe."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.domain.loans.application import ApplicationStatus
from customers.domain.loans.loan import LoanStatus
from customers.models.customer import Customer
from loancrm.kernel.words.phrases import reads_chinese


class Product(models.Model):
    """A loan product."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    annual_rate = models.DecimalField(_("annual rate"), max_digits=8, decimal_places=6, null=True)
    min_amount = models.DecimalField(_("least amount"), max_digits=14, decimal_places=2, null=True)
    max_amount = models.DecimalField(_("most amount"), max_digits=14, decimal_places=2, null=True)
    term_months = models.PositiveSmallIntegerField(_("term in months"), null=True)
    is_active = models.BooleanField(_("active"), default=True)
    # Texts that list products do not go out any more from then on.
    offered_until = models.DateTimeField(_("offered until"), null=True, blank=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return (self.name_zh if reads_chinese() else self.name_en) or self.code


class Application(models.Model):
    """A customer's request for a loan."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="applications")
    product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2, null=True)
    channel = models.CharField(_("channel"), max_length=40, blank=True)
    status = models.CharField(_("status"), max_length=12, default=ApplicationStatus.SUBMITTED)
    submitted_at = models.DateTimeField(_("submitted at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="application_unique")
        ]
        indexes = [models.Index(fields=["customer", "submitted_at"], name="application_customer")]

    def __str__(self) -> str:
        return f"Application {self.pk}"


class Loan(models.Model):
    """A disbursed loan. Amounts in CNY; the state columns are derived by `refresh_loan_states`."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="loans")
    product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey(
        Application, null=True, on_delete=models.SET_NULL, related_name="loans"
    )
    principal_amount = models.DecimalField(_("principal"), max_digits=14, decimal_places=2)
    annual_rate = models.DecimalField(_("annual rate"), max_digits=8, decimal_places=6, null=True)
    term_months = models.PositiveSmallIntegerField(_("term in months"))
    disbursed_on = models.DateField(_("disbursed on"))
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    settled_on = models.DateField(
        _("settled on"),
        null=True,
        blank=True,
        help_text=_("The day it was closed, or the day its schedule was paid in full."),
    )
    charged_off_on = models.DateField(_("charged off on"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=12, default=LoanStatus.ACTIVE)
    dpd_days = models.IntegerField(_("days past due"), default=0)
    max_dpd_days = models.IntegerField(_("most days past due"), default=0)
    outstanding_amount = models.DecimalField(
        _("outstanding"), max_digits=14, decimal_places=2, default=0
    )
    state_as_of = models.DateField(_("state as of"), null=True)
    is_state_reported = models.BooleanField(
        _("state as reported"),
        default=False,
        help_text=_("The source gave the state because it gave no repayments to derive it from."),
    )
    # Stamped by the database at every write, for the feed of changes.
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("loan")
        verbose_name_plural = _("loans")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="loan_unique")
        ]
        indexes = [
            models.Index(fields=["customer", "disbursed_on"], name="loan_customer"),
            models.Index(fields=["status", "dpd_days"], name="loan_state"),
            models.Index(fields=["changed_at"], name="loan_changed"),
        ]

    def __str__(self) -> str:
        return f"Loan {self.pk}"


class Instalment(models.Model):
    """One due amount of a loan's schedule."""

    loan = models.ForeignKey(Loan, on_delete=models.CASCADE, related_name="instalments")
    number = models.PositiveSmallIntegerField(_("number"))
    due_on = models.DateField(_("due on"))
    principal_amount = models.DecimalField(_("principal"), max_digits=14, decimal_places=2)
    interest_amount = models.DecimalField(_("interest"), max_digits=14, decimal_places=2, default=0)
    fee_amount = models.DecimalField(_("fee"), max_digits=14, decimal_places=2, default=0)

    class Meta:
        verbose_name = _("instalment")
        verbose_name_plural = _("instalments")
        constraints = [models.UniqueConstraint(fields=["loan", "number"], name="instalment_unique")]

    def __str__(self) -> str:
        return f"Instalment {self.loan_id}/{self.number}"


class Repayment(models.Model):
    """Money received for a loan; a reversal is a row with a negative amount."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    loan = models.ForeignKey(Loan, on_delete=models.CASCADE, related_name="repayments")
    paid_on = models.DateField(_("paid on"))
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    # Stamped by the database at every write, for the feed of changes.
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("repayment")
        verbose_name_plural = _("repayments")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="repayment_unique")
        ]
        indexes = [
            models.Index(fields=["loan", "paid_on"], name="repayment_loan"),
            models.Index(fields=["changed_at"], name="repayment_changed"),
        ]

    def __str__(self) -> str:
        return f"Repayment {self.pk}"
