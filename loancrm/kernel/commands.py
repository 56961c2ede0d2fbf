"""What the management commands share: one JSON object out, errors with their code."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from loancrm.kernel.errors import LoanCrmError


class LoanCrmCommand(BaseCommand):
    """A command that prints JSON on request and turns anticipated failures into one line."""

    def print_json(self, content: Mapping[str, Any]) -> None:
        """Write one JSON object to standard output."""
        self.stdout.write(json.dumps(content, ensure_ascii=False, cls=DjangoJSONEncoder))

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; an anticipated failure ends it with its code and message."""
        try:
            return super().execute(*args, **options)
        except LoanCrmError as error:
            raise CommandError(f"{error.code}: {error.message}") from error
