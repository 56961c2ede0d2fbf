"""What happened to customers and what they did: an append-only log."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class EventType(models.Model):
    """A kind of event; events carry its small id."""

    id = models.SmallAutoField(primary_key=True)
    name = models.SlugField(_("name"), max_length=60, unique=True)

    class Meta:
        verbose_name = _("event type")
        verbose_name_plural = _("event types")

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """One event. Rules filter by `amount`, `channel` and `subject`; `properties` is for display."""

    # Both keys lead an index below; one of their own would only make every event dearer to add.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    type = models.ForeignKey(EventType, on_delete=models.PROTECT, related_name="+", db_index=False)
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2, null=True)
    channel = models.CharField(_("channel"), max_length=40, blank=True)
    subject = models.CharField(_("subject"), max_length=100, blank=True)
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    source = models.CharField(_("source"), max_length=60)
    dedup_key = models.CharField(max_length=120)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["source", "dedup_key"], name="event_dedup_unique")
        ]
        indexes = [
            models.Index(fields=["type", "occurred_at", "customer"], name="event_type_time"),
            # The type comes last so that rare ones are found among thousands without their rows.
            models.Index(fields=["customer", "occurred_at", "type"], name="event_customer_time"),
        ]

    def __str__(self) -> str:
        return f"Event {self.pk}"
