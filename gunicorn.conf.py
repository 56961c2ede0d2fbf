"""Gunicorn does not start with keys that cannot open the data."""

from typing import Any


def on_starting(_server: Any) -> None:
    """Check the keys once, before any worker is forked."""
    import django  # noqa: PLC0415 - gunicorn reads this file before the settings are loaded

    django.setup()
    from loancrm.kernel import keys  # noqa: PLC0415 - needs the loaded apps

    keys.refuse_wrong_keys()
