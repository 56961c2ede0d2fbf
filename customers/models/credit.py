"""Credit elsewhere, income and obligations, and values that vendors sell: all with their origin."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class BureauPull(models.Model):
    """One report that was asked for, for a purpose and with the person's consent to it."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="bureau_pulls")
    vendor = models.CharField(
        _("bureau"), max_length=60, help_text=_("Data source whose contract covers the report.")
    )
    purpose = models.CharField(_("purpose"), max_length=20)
    consent_reference = models.CharField(
        _("consent"), max_length=100, help_text=_("Number or file of the written consent.")
    )
    pulled_on = models.DateField(_("pulled on"))
    valid_until = models.DateField(_("used until"))
    cost_amount = models.DecimalField(_("cost"), max_digits=14, decimal_places=2, null=True)
    # Stamped by the database at every write, for the feed of changes.
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("bureau report")
        verbose_name_plural = _("bureau reports")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="bureau_pull_unique")
        ]
        indexes = [
            models.Index(fields=["customer", "pulled_on"], name="bureau_pull_customer"),
            models.Index(fields=["changed_at"], name="bureau_pull_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.external_id}"


class Tradeline(models.Model):
    """An account elsewhere, as a report tells of it."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    pull = models.ForeignKey(BureauPull, on_delete=models.CASCADE, related_name="tradelines")
    lender = models.CharField(_("lender"), max_length=200, blank=True)
    product = models.CharField(_("product"), max_length=200, blank=True)
    opened_on = models.DateField(_("opened on"))
    closed_on = models.DateField(_("closed on"), null=True)
    limit_amount = models.DecimalField(_("limit"), max_digits=14, decimal_places=2, null=True)
    balance_amount = models.DecimalField(_("balance"), max_digits=14, decimal_places=2, default=0)
    max_dpd_days = models.IntegerField(_("most days past due"), default=0)
    # Stamped by the database at every write, for the feed of changes.
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("tradeline")
        verbose_name_plural = _("tradelines")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="tradeline_unique")
        ]
        indexes = [models.Index(fields=["changed_at"], name="tradeline_changed")]

    def __str__(self) -> str:
        return f"Tradeline {self.pk}"


class Inquiry(models.Model):
    """Somebody's question about the person, as a report tells of it."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    pull = models.ForeignKey(BureauPull, on_delete=models.CASCADE, related_name="inquiries")
    inquired_on = models.DateField(_("inquired on"))
    lender = models.CharField(_("lender"), max_length=200, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    # Stamped by the database at every write, for the feed of changes.
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("credit inquiry")
        verbose_name_plural = _("credit inquiries")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="inquiry_unique")
        ]
        indexes = [models.Index(fields=["changed_at"], name="inquiry_changed")]

    def __str__(self) -> str:
        return f"Inquiry {self.pk}"


class IncomeFlow(models.Model):
    """An income or an obligation of a month, while it holds."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="income_flows")
    kind = models.CharField(_("kind"), max_length=10)
    label = models.CharField(_("label"), max_length=200, blank=True)
    monthly_amount = models.DecimalField(_("amount a month"), max_digits=14, decimal_places=2)
    share = models.DecimalField(_("own share"), max_digits=8, decimal_places=6, default=1)
    joint_reference = models.CharField(_("joint with"), max_length=100, blank=True)
    is_verified = models.BooleanField(_("verified"), default=False)
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True)

    class Meta:
        verbose_name = _("income or obligation")
        verbose_name_plural = _("incomes and obligations")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="income_flow_unique"),
            models.CheckConstraint(
                condition=Q(share__gt=0) & Q(share__lte=1), name="income_flow_share"
            ),
        ]
        indexes = [models.Index(fields=["customer", "valid_from"], name="income_flow_customer")]

    def __str__(self) -> str:
        return f"IncomeFlow {self.pk}"


class VendorValue(models.Model):
    """A value that a vendor sold; not used after its last day, or while its vendor is off."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="vendor_values")
    vendor = models.CharField(
        _("vendor"), max_length=60, help_text=_("Data source whose contract covers the value.")
    )
    name = models.CharField(_("name"), max_length=50)
    number = models.DecimalField(_("number"), max_digits=14, decimal_places=2, null=True)
    text = models.CharField(_("text"), max_length=200, blank=True)
    obtained_on = models.DateField(_("obtained on"))
    valid_until = models.DateField(_("used until"))
    cost_amount = models.DecimalField(_("cost"), max_digits=14, decimal_places=2, null=True)

    class Meta:
        verbose_name = _("vendor's value")
        verbose_name_plural = _("vendors' values")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="vendor_value_unique")
        ]
        indexes = [models.Index(fields=["customer", "name"], name="vendor_value_customer")]

    def __str__(self) -> str:
        return f"VendorValue {self.pk}"
