"""What a message says to its person alone, given with the request for it."""

from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.dispatch import Message
from loancrm.kernel.words.titles import numbered


class MessageVariables(models.Model):
    """The values that came with one message, sealed; removed once it needs them no more."""

    VALUES_COLUMN = "campaigns.messagevariables.values"

    row_key = models.UUIDField(default=uuid4, unique=True, editable=False)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="+")
    # A JSON object of texts.
    values_sealed = models.BinaryField()
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("values of a message")
        verbose_name_plural = _("values of messages")
        indexes = [models.Index(fields=["created_at"], name="message_variables_age")]

    def __str__(self) -> str:
        return numbered(self)
