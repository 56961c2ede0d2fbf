"""The tabs of the loan book, which every one of its pages shows."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class BookTab:
    """One page of the loan book."""

    title: str
    url: str
    is_current: bool


def tabs(current: str) -> list[BookTab]:
    """Return the tabs; `current` is the name of the page's address."""
    pages = {
        "loan_book": _("Overview of the book"),
        "vintages": _("Vintages"),
        "rolls": _("Rolls and flows"),
        "stages": _("Stages and expected loss"),
        "acceptance": _("Accepted and declined"),
        "borrowers": _("Leaving and coming back"),
    }
    return [
        BookTab(title, reverse(f"reports:{name}"), name == current) for name, title in pages.items()
    ]
