"""Messages that belong to no campaign."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.channel import Channel
from loancrm.kernel.words.titles import numbered


class SideMessage(models.Model):
    """A test or a confirmation that a provider took: by its id, so that reports about it fit."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    provider_message_id = models.CharField(max_length=120)
    sent_at = models.DateTimeField(_("sent at"))

    class Meta:
        verbose_name = _("message of no campaign")
        verbose_name_plural = _("messages of no campaign")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "provider_message_id"], name="side_message_once"
            )
        ]

    def __str__(self) -> str:
        return numbered(self)
