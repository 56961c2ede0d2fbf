"""How rows without a name of their own are called: what they are, in words, and their number."""

from django.db.models import Model
from django.utils.text import capfirst


def numbered(row: Model) -> str:
    """Return what a row is, in the reader's language, with its number: “Privacy request #7”."""
    name = str(row._meta.verbose_name)  # noqa: SLF001 - Django's documented way to a model's name
    return f"{capfirst(name)} #{row.pk}"
