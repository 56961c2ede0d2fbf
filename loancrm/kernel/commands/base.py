"""What the management commands share: one JSON object out, every failure in one line with a code.

A wrong argument ends a command with status 2, any other anticipated failure with status 1. Standard
output carries results only, so that `--json` can be piped.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from loancrm.kernel.database.errors import trouble_of, words_of
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.system_words import system_words

WRONG_ARGUMENT = 2


class _Parser(CommandParser):
    """Says what is wrong with the arguments in one line, without repeating how they are used."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        if not self.called_from_command_line:
            raise CommandError(f"argument_wrong: {line}", returncode=WRONG_ARGUMENT)
        self.exit(WRONG_ARGUMENT, f"argument_wrong: {line}\n")


class LoanCrmCommand(BaseCommand):
    """A command that prints JSON on request and turns anticipated failures into one line.

    Attributes:
        uses_data: Whether it reads or writes the configured database; then it needs the keys that
            the data was made with.
    """

    uses_data = True

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return Django's parser of the arguments, with errors of one line."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Django builds its parser with all its own options and takes no other class for it.
        parser.__class__ = _Parser
        return parser

    def print_json(self, content: Mapping[str, Any]) -> None:
        """Write one JSON object to standard output."""
        self.stdout.write(json.dumps(content, ensure_ascii=False, cls=DjangoJSONEncoder))

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; an anticipated failure ends it with its code and message."""
        try:
            if self.uses_data:
                from loancrm.kernel.security import keys  # noqa: PLC0415 - needs loaded models

                keys.refuse_wrong_keys()
            return super().execute(*args, **options)
        except CommandError:
            raise
        except Exception as error:
            line = failure_line(error)
            if line is None:
                raise
            raise CommandError(line) from error


def refuse(code: str, message: str) -> NoReturn:
    """End a command for an argument that is wrong.

    Raises:
        CommandError: Always; its status is 2.
    """
    raise CommandError(f"{code}: {message}", returncode=WRONG_ARGUMENT)


def failure_line(error: BaseException) -> str | None:
    """Return an anticipated failure as one line with its code; None for any other error.

    Anticipated are refusals of ours, a database without room, tables or a server, and files that
    cannot be read or written.
    """
    if isinstance(error, LoanCrmError):
        return f"{error.code}: {' '.join(str(error.message).split())}"
    if trouble := trouble_of(error):
        return f"{trouble.value}: {words_of(trouble)}"
    if isinstance(error, BrokenPipeError | ConnectionError | TimeoutError):
        return f"connection_lost: {_('A connection was lost or refused.')}"
    if isinstance(error, UnicodeDecodeError):
        return f"file_unreadable: {_('The file is not written in UTF-8.')}"
    if isinstance(error, OSError) and error.filename:
        words = {"name": error.filename, "reason": system_words(error)}
        message = _("%(name)s cannot be read or written: %(reason)s.") % words
        return f"file_unreadable: {message}"
    return None


def run(arguments: list[str]) -> None:
    """Run a management command, Django's own included; anticipated failures print no traceback.

    Django's commands know nothing of `LoanCrmCommand`, and nothing at all runs without settings.
    """
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - needs settings

    try:
        settings.INSTALLED_APPS  # noqa: B018 - loads the settings, which Django would do too late
        execute_from_command_line(arguments)
    except Exception as error:
        line = settings_line(error) or failure_line(error)
        if line is None or "--traceback" in arguments:
            raise
        sys.stderr.write(f"{line}\n")
        sys.exit(1)


def settings_line(error: BaseException) -> str | None:
    """Return what is wrong with the settings, one line a setting; None for any other error."""
    if isinstance(error, ImproperlyConfigured):
        return f"settings_wrong: {error}"
    module = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    if isinstance(error, ModuleNotFoundError) and error.name and module.startswith(error.name):
        return f"settings_wrong: DJANGO_SETTINGS_MODULE: there is no module {module}"
    return None
