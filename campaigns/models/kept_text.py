"""The exact text of each message, kept for as long as it may have to be proved."""

from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.domain.evidence import kept_text
from campaigns.models.dispatch import Dispatch, Message
from loancrm.kernel.security import crypto
from loancrm.kernel.words.titles import numbered


class KeptForm(models.Model):
    """What the texts of one content in one dispatch have in common; says nothing about anybody."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("form of kept texts")
        verbose_name_plural = _("forms of kept texts")
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "digest"], name="kept_form_once")
        ]

    def __str__(self) -> str:
        return numbered(self)


class KeptText(models.Model):
    """What one try to send a message said, sealed; a try that was repeated has a row of its own."""

    TEXT_COLUMN = "campaigns.kepttext.text"
    # Handed out with the person's own data; it goes with the message.
    IS_OWN_DATA = True

    # Not unique for the database: what is sealed is bound to it, and nothing is found by it.
    row_key = models.UUIDField(default=uuid4, editable=False)
    # No keys that the database checks: every message sent pays for them.
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="kept_texts", db_constraint=False
    )
    form = models.ForeignKey(
        KeptForm, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"))
    at = models.DateTimeField(_("at"))
    # Keyed, so that nobody without the key can try out what it stands for.
    digest = models.CharField(max_length=32)
    text_sealed = models.BinaryField()

    class Meta:
        verbose_name = _("kept text")
        verbose_name_plural = _("kept texts")

    def __str__(self) -> str:
        return numbered(self)

    def read_text(self) -> str:
        """Return the text whose parts `kept_text.parts_of` tells apart.

        Raises:
            CipherRefused: It was changed, or sealed with a key that is not here.
        """
        sealed = crypto.vault().open(self.TEXT_COLUMN, self.row_key, self.text_sealed)
        return kept_text.unsqueezed(sealed, self.form.text.encode())
