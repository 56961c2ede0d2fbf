"""Ways to reach a customer."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.domain.values.contact import ContactStatus
from customers.models.customer import Customer


class ContactPoint(models.Model):
    """A phone number, address or account. A bounce belongs to the point, not to the person."""

    VALUE_COLUMN = "customers.contactpoint.value"

    row_key = models.UUIDField(default=uuid4, editable=False)
    # Found by the unique constraint over customer, kind and value.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="contact_points", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=10)
    value_sealed = models.BinaryField()
    value_index = models.CharField(max_length=64)
    is_primary = models.BooleanField(_("primary"), default=True)
    is_virtual_range = models.BooleanField(_("virtual number range"), default=False)
    status = models.CharField(_("status"), max_length=10, default=ContactStatus.ACTIVE)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value_index"],
                condition=Q(is_primary=True),
                name="contact_primary_value_unique",
            ),
            models.UniqueConstraint(
                fields=["customer", "kind", "value_index"], name="contact_customer_value_unique"
            ),
            models.UniqueConstraint(
                fields=["customer", "kind"],
                condition=Q(is_primary=True),
                name="contact_one_primary_a_kind",
            ),
        ]
        indexes = [models.Index(fields=["kind", "value_index"], name="contact_value")]

    def __str__(self) -> str:
        return f"ContactPoint {self.pk} {self.kind}"
