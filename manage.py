#!/usr/bin/env python
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loancrm.settings.dev")
    from loancrm.kernel.commands import base  # noqa: PLC0415 - after the settings

    base.run(sys.argv)


if __name__ == "__main__":
    main()
