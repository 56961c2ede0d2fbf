"""Which record of which source belongs to which customer."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class IdentityLink(models.Model):
    """A source's own id for a customer; after a merge several ids lead to one person."""

    source = models.CharField(_("source"), max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="identity_links")
    matched_by = models.CharField(_("matched by"), max_length=20, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("identity link")
        verbose_name_plural = _("identity links")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="identity_link_unique")
        ]

    def __str__(self) -> str:
        return f"IdentityLink {self.source}:{self.external_id}"
