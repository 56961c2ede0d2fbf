"""The name under which an uploaded file is remembered."""

from typing import Final

from customers.domain.imports import file_names
from loancrm.kernel.security import crypto

_COLUMN: Final = "file_name"


def remembered_name(name: str) -> str:
    """Return a file's name without anything that might name a person."""
    return file_names.masked_name(name, crypto.vault().blind_index(_COLUMN, name))
