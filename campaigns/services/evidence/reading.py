"""Reading the exact text that somebody was sent: with a permission, a reason and a trace."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from campaigns.domain.evidence import squeezing
from campaigns.models import MessageText
from customers.services.privacy import reveals
from loancrm.kernel.access import Actor
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.security import crypto
from loancrm.kernel.words.phrases import gettext as _


class TextDamaged(LoanCrmError):
    """A stored text is not what was written down when it was sent."""

    code = "text_damaged"


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text to the letter.

    Attributes:
        sha256: Of the parts below, joined by line feeds, in UTF-8: anybody can compute it again.
    """

    sender: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    sha256: str


def read_text(*, actor: Actor, text_id: int, reason: str, now: datetime) -> ReadText:
    """Open one text; counts as a look at the person's whole data.

    Raises:
        PermissionRefused: The actor may not reveal personal data.
        RevealRefused: The reason is missing, or the actor looked too often within the hour.
        TextDamaged: It was changed since.
        MessageText.DoesNotExist: It is not stored (any more).
    """
    row = MessageText.objects.select_related("message__customer", "master").get(pk=text_id)
    reveals.note_look(
        actor=actor,
        customer=row.message.customer,
        reason=reason,
        now=now,
        action=reveals.READ_TEXT,
        message=row.message_id,
        attempt=row.attempt,
    )
    joined = row.read_text()
    digest = crypto.vault().blind_index(MessageText.TEXT_COLUMN, joined)
    if not hmac.compare_digest(digest, row.digest):
        raise TextDamaged(_("The stored text is not the one that was sent."), text=row.pk)
    parts = squeezing.parts_of(joined)
    sender, subject, text, html = parts if len(parts) == 4 else ("", "", parts[0], "")
    whole = f"{sender}\n{subject}\n{text}\n{html}".encode()
    return ReadText(sender, subject, text, html, hashlib.sha256(whole).hexdigest())
