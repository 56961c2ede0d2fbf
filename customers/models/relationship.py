"""What customers have in common and how they stand to each other; for risk only, values hashed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class SharedKey(models.Model):
    """Something that customers may share, known by its blind index alone."""

    VALUE_COLUMN = "customers.sharedkey.value"

    kind = models.CharField(_("kind"), max_length=12)
    value_index = models.CharField(max_length=64)
    member_count = models.PositiveIntegerField(_("people"), default=0)

    class Meta:
        verbose_name = _("shared thing")
        verbose_name_plural = _("shared things")
        constraints = [
            models.UniqueConstraint(fields=["kind", "value_index"], name="shared_key_unique")
        ]

    def __str__(self) -> str:
        return f"SharedKey {self.pk} {self.kind}"


class SharedTie(models.Model):
    """One customer has one thing; `since` is when the source said so."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    shared = models.ForeignKey(SharedKey, on_delete=models.CASCADE, related_name="ties")
    source = models.CharField(_("source"), max_length=60, blank=True)
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("tie")
        verbose_name_plural = _("ties")
        constraints = [
            models.UniqueConstraint(fields=["customer", "shared"], name="shared_tie_unique")
        ]

    def __str__(self) -> str:
        return f"SharedTie {self.pk}"


class Relationship(models.Model):
    """The customer's record names the other one: as referrer, as guarantor."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=12)
    source = models.CharField(_("source"), max_length=60, blank=True)
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("relationship")
        verbose_name_plural = _("relationships")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "other", "kind"], name="relationship_unique"
            ),
            models.CheckConstraint(
                condition=~models.Q(customer=models.F("other")), name="relationship_two"
            ),
        ]
        permissions = [
            ("read_relationships", _("Can look at relationships for risk purposes")),
        ]

    def __str__(self) -> str:
        return f"Relationship {self.pk} {self.kind}"


class RelationshipRun(models.Model):
    """One derivation of all that, whole or of what changed since the one before.

    Without `finished_at` it was cut short, or goes on: nobody knows whom it has left half done.
    """

    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    is_full = models.BooleanField(_("whole"))
    customer_count = models.BigIntegerField(_("customers"))

    class Meta:
        verbose_name = _("derivation of relationships")
        verbose_name_plural = _("derivations of relationships")
        indexes = [models.Index(fields=["started_at"], name="relationship_run_started")]

    def __str__(self) -> str:
        return f"RelationshipRun {self.pk}"
