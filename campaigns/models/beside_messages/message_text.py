"""The exact text of each message, kept for as long as it may have to be proved."""

from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.domain.evidence import squeezing
from campaigns.models.dispatch import Dispatch, Message
from loancrm.kernel.security import crypto
from loancrm.kernel.words.titles import numbered


class TextMaster(models.Model):
    """What the texts of one content in one dispatch have in common; says nothing about anybody."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("master of message texts")
        verbose_name_plural = _("masters of message texts")
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "digest"], name="text_master_once")
        ]

    def __str__(self) -> str:
        return numbered(self)


class MessageText(models.Model):
    """What one try to send a message said, sealed; a try that was repeated has a row of its own."""

    TEXT_COLUMN = "campaigns.messagetext.text"
    # Handed out with the person's own data; it goes with the message.
    IS_OWN_DATA = True

    # Not unique for the database: what is sealed is bound to it, and nothing is found by it.
    row_key = models.UUIDField(default=uuid4, editable=False)
    # No keys that the database checks: every message sent pays for them.
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="texts", db_constraint=False
    )
    master = models.ForeignKey(
        TextMaster,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"))
    at = models.DateTimeField(_("at"))
    # Keyed, so that nobody without the key can try out what it stands for.
    digest = models.CharField(max_length=32)
    text_sealed = models.BinaryField()

    class Meta:
        verbose_name = _("message text")
        verbose_name_plural = _("message texts")

    def __str__(self) -> str:
        return numbered(self)

    def read_text(self) -> str:
        """Return the text whose parts `squeezing.parts_of` tells apart.

        Raises:
            CipherRefused: It was changed, or sealed with a key that is not here.
        """
        sealed = crypto.vault().open(self.TEXT_COLUMN, self.row_key, self.text_sealed)
        return squeezing.unsqueezed(sealed, self.master.text.encode())
