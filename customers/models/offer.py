"""What a product costs beside its interest, and which partners may charge it."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.domain.loans.all_in_cost import FeeTiming
from customers.models.loan import Product
from loancrm.kernel.words.phrases import reads_chinese


class ListedPartner(models.Model):
    """A company on the lender's published list of partners, with the days on which it stands there.

    A company that comes back to the list is a row of its own.
    """

    name = models.CharField(_("name"), max_length=120)
    listed_from = models.DateField(_("on the list from"))
    listed_until = models.DateField(_("last day on the list"), null=True, blank=True)

    class Meta:
        verbose_name = _("listed partner")
        verbose_name_plural = _("listed partners")
        constraints = [
            models.CheckConstraint(
                condition=Q(listed_until__isnull=True) | Q(listed_until__gte=F("listed_from")),
                name="listed_partner_days_in_order",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ProductFee(models.Model):
    """One fee of a product: an amount in CNY, a share of the principal, or both."""

    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="fees", verbose_name=_("product")
    )
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    timing = models.CharField(_("when it is paid"), max_length=10, default=FeeTiming.MONTHLY)
    amount = models.DecimalField(
        _("amount, CNY"),
        max_digits=14,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
    )
    share = models.DecimalField(
        _("share of the principal"),
        max_digits=8,
        decimal_places=6,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("As a fraction each time that it is paid: 0.005 means 0.5 %."),
    )
    # Who takes it; without one, the lender.
    collector = models.ForeignKey(
        ListedPartner,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="fees",
        verbose_name=_("charged by"),
        help_text=_("Empty: the lender itself."),
    )

    class Meta:
        verbose_name = _("product fee")
        verbose_name_plural = _("product fees")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0, share__gte=0), name="product_fee_not_negative"
            )
        ]

    def __str__(self) -> str:
        return (self.name_zh if reads_chinese() else self.name_en) or self.name_zh
