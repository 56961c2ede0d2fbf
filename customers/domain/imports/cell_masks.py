"""Cells of a supplier's file without what identifies a person."""

import re
from typing import Final

from customers.domain.imports.column_guess import Kind
from loancrm.kernel.security.masking import mask_email, mask_name, mask_national_id, mask_phone

_SHOWN_CHARS: Final = 40
# Any other cell with so many digits in a row may be a number of a person.
_LONG_NUMBER: Final = re.compile(r"\d{7,}[\dXx]?")
_MASKS: Final = {
    "customer.name": mask_name,
    "customer.national_id": mask_national_id,
    "contact.phone": mask_phone,
    "contact.email": mask_email,
}
_KIND_MASKS: Final = {
    Kind.NAME: mask_name,
    Kind.NATIONAL_ID: mask_national_id,
    Kind.PHONE: mask_phone,
    Kind.EMAIL: mask_email,
}


def masked(text: str, *, kind: Kind, target: str) -> str:
    """Return a cell without what identifies a person, by what the column holds and what it says."""
    mask = _MASKS.get(target)
    # Towns and trades look like names; where somebody has said what they are, they are shown.
    if mask is None and not (kind is Kind.NAME and target.startswith(("customer.", "attribute."))):
        mask = _KIND_MASKS.get(kind)
    if mask is not None:
        return mask(text.strip())[:_SHOWN_CHARS]
    if "@" in text:
        return mask_email(text.strip())[:_SHOWN_CHARS]
    return _LONG_NUMBER.sub(lambda found: mask_phone(found[0]), text)[:_SHOWN_CHARS]
