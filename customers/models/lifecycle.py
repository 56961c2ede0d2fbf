"""The lifecycle stages that customers went through."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class StageEntry(models.Model):
    """A stay of one customer in one lifecycle stage; open while `left_at` is null.

    Derived from events and loans: a fact that arrives late rewrites the stays it touches.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="stage_entries")
    stage = models.CharField(_("lifecycle stage"), max_length=20)
    entered_at = models.DateTimeField(_("entered at"))
    left_at = models.DateTimeField(_("left at"), null=True)

    class Meta:
        verbose_name = _("stage entry")
        verbose_name_plural = _("stage history")
        constraints = [
            models.UniqueConstraint(fields=["customer", "entered_at"], name="stage_entry_unique"),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(left_at__isnull=True),
                name="stage_entry_open_unique",
            ),
        ]
        indexes = [
            models.Index(
                fields=["stage", "entered_at"],
                condition=Q(left_at__isnull=True),
                name="stage_entry_present",
            )
        ]

    def __str__(self) -> str:
        return f"StageEntry {self.customer_id} {self.stage}"
