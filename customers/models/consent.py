"""The consent ledger and the state derived from it."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class ConsentRecord(models.Model):
    """One grant or withdrawal; rows are only ever added."""

    # Found by the index over the customer's history.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="consent_records", db_index=False
    )
    channel = models.CharField(_("channel"), max_length=10)
    purpose = models.CharField(_("purpose"), max_length=12)
    is_granted = models.BooleanField(_("granted"))
    policy_version = models.CharField(_("text version"), max_length=40, blank=True)
    source = models.CharField(_("source"), max_length=60)
    evidence = models.CharField(_("evidence"), max_length=200, blank=True)
    at = models.DateTimeField(_("at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("consent record")
        verbose_name_plural = _("consent ledger")
        indexes = [
            models.Index(fields=["customer", "channel", "purpose", "at"], name="consent_history")
        ]

    def save(self, **options: Any) -> None:
        """Add the row; one that is stored already is never changed."""
        if not self._state.adding:
            raise TypeError("a row of the consent ledger is never changed")
        super().save(**options)

    def delete(self, *_args: Any, **_options: Any) -> tuple[int, dict[str, int]]:
        """Refuse: what was agreed to must stay provable; only erasing the person removes it."""
        raise TypeError("a row of the consent ledger is never taken out")

    def __str__(self) -> str:
        return f"ConsentRecord {self.pk} {self.channel} {self.purpose}"


class ConsentState(models.Model):
    """The fact in force for a customer, channel and purpose."""

    # Found by the unique constraint, which starts with it.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="consent_states", db_index=False
    )
    channel = models.CharField(_("channel"), max_length=10)
    purpose = models.CharField(_("purpose"), max_length=12)
    is_granted = models.BooleanField(_("granted"))
    source = models.CharField(_("source"), max_length=60, blank=True)
    changed_at = models.DateTimeField(_("changed at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "channel", "purpose"], name="consent_state_unique"
            )
        ]
        indexes = [
            models.Index(
                fields=["channel", "purpose", "is_granted", "customer"], name="consent_state_lookup"
            )
        ]

    def __str__(self) -> str:
        return f"ConsentState {self.pk} {self.channel} {self.purpose}"


class UnclearConsent(models.Model):
    """A grant that ended because a word about it could not be read, until somebody has asked."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(_("channel"), max_length=10)
    purpose = models.CharField(_("purpose"), max_length=12)
    source = models.CharField(_("source"), max_length=60)
    evidence = models.CharField(_("evidence"), max_length=200, blank=True)
    ended_at = models.DateTimeField(_("ended at"))
    decision = models.CharField(_("decision"), max_length=10, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("unclear consent")
        verbose_name_plural = _("unclear consents")
        indexes = [models.Index(fields=["decision", "-ended_at"], name="unclear_consent_open")]

    def __str__(self) -> str:
        return f"#{self.customer_id} · {self.source}"
