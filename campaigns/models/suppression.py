"""Who or what must not be contacted."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from loancrm.kernel.words.titles import numbered


class Suppression(models.Model):
    """A stop for a person or an address; an empty channel or purpose means all of them."""

    customer = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE, related_name="+")
    value_index = models.CharField(max_length=64, blank=True)
    # What a person recognises the address by; the address itself is nowhere in clear.
    address_masked = models.CharField(
        _("address, masked"), max_length=80, blank=True, default="", db_default=""
    )
    channel = models.CharField(_("channel"), max_length=10, blank=True)
    purpose = models.CharField(_("purpose"), max_length=12, blank=True)
    reason = models.CharField(_("reason"), max_length=40)
    source = models.CharField(_("source"), max_length=60, blank=True)
    at = models.DateTimeField(_("at"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("stop list entry")
        verbose_name_plural = _("stop list")
        constraints = [
            models.CheckConstraint(
                condition=Q(customer__isnull=False) | ~Q(value_index=""),
                name="suppression_names_someone",
            ),
            models.UniqueConstraint(
                fields=["customer", "channel", "purpose"],
                condition=Q(customer__isnull=False, lifted_at__isnull=True),
                name="suppression_customer_open_unique",
            ),
            models.UniqueConstraint(
                fields=["value_index", "channel", "purpose"],
                condition=Q(lifted_at__isnull=True) & ~Q(value_index=""),
                name="suppression_value_open_unique",
            ),
        ]

    def __str__(self) -> str:
        return numbered(self)
