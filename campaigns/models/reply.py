"""Replies that somebody has to read."""

from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.channel import Channel
from customers.models import Customer
from loancrm.kernel.words.titles import numbered


class UnclearReply(models.Model):
    """A reply that may be a refusal; its words are kept sealed until somebody has read them."""

    TEXT_COLUMN = "campaigns.unclearreply.text"

    row_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    provider_event_id = models.CharField(max_length=120)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE, related_name="+")
    value_index = models.CharField(max_length=64, blank=True, editable=False)
    # Enough to know a number again at the provider, too little to write to it.
    sender_masked = models.CharField(_("sender"), max_length=80, blank=True)
    text_sealed = models.BinaryField(null=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    decision = models.CharField(_("decision"), max_length=12, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("reply to be read")
        verbose_name_plural = _("replies to be read")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "provider_event_id", "value_index", "occurred_at"],
                name="unclear_reply_once",
            )
        ]
        indexes = [
            models.Index(fields=["decision", "-received_at"], name="unclear_reply_open"),
            models.Index(fields=["value_index"], name="unclear_reply_address"),
        ]

    def __str__(self) -> str:
        return numbered(self)
