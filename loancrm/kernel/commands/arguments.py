"""Types of commands' arguments: whole numbers with bounds, shares, days, times and files.

Each returns the value or says in one line what is wrong with it.
"""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from django.utils.translation import gettext as _

from loancrm.kernel import clock

_LARGEST = 1_000_000_000


def whole(least: int = 1, most: int = _LARGEST) -> Callable[[str], int]:
    """Return a reader of whole numbers between two bounds, both allowed."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ArgumentTypeError(
                _("%(text)s is no whole number from %(least)s to %(most)s.")
                % {"text": repr(text[:40]), "least": least, "most": most}
            )
        return number

    return read


def seed(text: str) -> int:
    """Return a seed of random numbers, which may be 0."""
    return whole(0, 2**32 - 1)(text)


def share(text: str) -> float:
    """Return a share above 0 and at most 1."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= 1:
        raise ArgumentTypeError(
            _("%(text)s is no share above 0 and at most 1.") % {"text": repr(text[:40])}
        )
    return number


def number(least: float = 0.0, most: float = _LARGEST) -> Callable[[str], float]:
    """Return a reader of numbers between two bounds, both allowed."""

    def read(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not least <= found <= most:
            raise ArgumentTypeError(
                _("%(text)s is no number from %(least)s to %(most)s.")
                % {"text": repr(text[:40]), "least": least, "most": most}
            )
        return found

    return read


def day(text: str) -> date:
    """Return a date written as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            _("%(text)s is no date such as 2026-01-31.") % {"text": repr(text[:40])}
        ) from error


def moment(text: str) -> datetime:
    """Return an aware time written in ISO 8601; without an offset it is the company's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            _("%(text)s is no time such as 2026-01-31T09:00.") % {"text": repr(text[:40])}
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=clock.company_zone())


def file(text: str) -> Path:
    """Return the path of a file that is there."""
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(_("There is no file %(name)s.") % {"name": repr(text)})
    return path


def there(text: str) -> Path:
    """Return the path of a file or a folder that is there."""
    path = Path(text)
    if not path.exists():
        raise ArgumentTypeError(_("There is no file or folder %(name)s.") % {"name": repr(text)})
    return path


def new_folder(text: str) -> Path:
    """Return the path of a folder that is there or can be made in one that is."""
    path = Path(text)
    if path.is_file() or not path.parent.is_dir():
        raise ArgumentTypeError(_("%(name)s is no folder and lies in none.") % {"name": repr(text)})
    return path


def new_file(text: str) -> Path:
    """Return the path of a file that can be written: its folder is there and it is no folder."""
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise ArgumentTypeError(
            _("%(name)s cannot be written: it is a folder or lies in none.") % {"name": repr(text)}
        )
    return path
