"""What customers asked for themselves: preferences, confirmations and privacy requests."""

from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.domain.consents.preferences import RequestStatus
from customers.models.customer import Customer
from loancrm.kernel.words.titles import numbered


class PreferenceRecord(models.Model):
    """One change of a preference beyond consent; rows are only ever added."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="preference_records"
    )
    name = models.CharField(_("preference"), max_length=24)
    value = models.CharField(_("value"), max_length=40, blank=True)
    source = models.CharField(_("source"), max_length=60)
    evidence = models.CharField(_("evidence"), max_length=200, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("preference record")
        verbose_name_plural = _("preference ledger")
        indexes = [models.Index(fields=["customer", "name", "at"], name="preference_history")]

    def __str__(self) -> str:
        return f"PreferenceRecord {self.pk} {self.name}"


class OptInRequest(models.Model):
    """A consent that waits for its confirmation; until then nothing may be sent on its ground."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="opt_in_requests")
    channel = models.CharField(_("channel"), max_length=10)
    purpose = models.CharField(_("purpose"), max_length=12)
    policy_version = models.CharField(_("text version"), max_length=40, blank=True)
    source = models.CharField(_("source"), max_length=60)
    evidence = models.CharField(_("evidence"), max_length=200, blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    expires_at = models.DateTimeField(_("expires at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    # A message that was put off (greylisting) is tried again.
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    next_try_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("opt-in to be confirmed")
        verbose_name_plural = _("opt-ins to be confirmed")
        indexes = [
            models.Index(fields=["customer", "channel", "purpose"], name="opt_in_customer"),
            models.Index(fields=["sent_at", "requested_at"], name="opt_in_unsent"),
        ]

    def __str__(self) -> str:
        return f"OptInRequest {self.pk} {self.channel} {self.purpose}"


class PrivacyRequest(models.Model):
    """Somebody asks us to correct or to delete what we hold; it must be answered by `due_at`."""

    DETAILS_COLUMN = "customers.privacyrequest.details"

    row_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="privacy_requests"
    )
    kind = models.CharField(_("kind"), max_length=12)
    details_sealed = models.BinaryField(null=True)
    status = models.CharField(_("status"), max_length=10, default=RequestStatus.OPEN)
    source = models.CharField(_("source"), max_length=60)
    requested_at = models.DateTimeField(_("requested at"))
    due_at = models.DateTimeField(_("due at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind"],
                condition=models.Q(status=RequestStatus.OPEN),
                name="privacy_request_one_open",
            )
        ]
        indexes = [models.Index(fields=["status", "due_at"], name="privacy_request_due")]

    def __str__(self) -> str:
        return numbered(self)
