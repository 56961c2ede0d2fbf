"""Gunicorn does not start where it could not serve: wrong settings or keys, other tables."""

import sys
from typing import Any


def on_starting(_server: Any) -> None:
    """Look once, before any worker is forked."""
    import django  # noqa: PLC0415 - gunicorn reads this file before the settings are loaded

    from loancrm.kernel.commands import base  # noqa: PLC0415 - likewise

    try:
        django.setup()
    except Exception as error:
        line = base.settings_line(error)
        if line is None:
            raise
        sys.stderr.write(f"{line}\n")
        raise SystemExit(1) from None
    from loancrm.kernel.running import readiness  # noqa: PLC0415 - needs the loaded apps

    readiness.refuse_unusable(needs_broker=False, needs_static=True)
