"""Run web, worker and beat together, for development and for small installations."""

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections

from loancrm.kernel import processes, roles
from loancrm.kernel.commands import LoanCrmCommand
from loancrm.kernel.supervisor import Supervisor


class Command(LoanCrmCommand):
    help = "Migrate the database, then run web, worker and beat until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--web-workers", type=int, default=1)
        parser.add_argument("--concurrency", type=int, default=2, help="processes of each worker")
        parser.add_argument("--no-migrate", action="store_true")

    def handle(self, **options: Any) -> None:
        if not options["no_migrate"]:
            call_command("migrate", interactive=False, verbosity=0)
            roles.ensure_roles()
            self._first_user()
        connections.close_all()
        specs = [
            processes.web(
                host=options["host"], port=options["port"], workers=options["web_workers"]
            ),
            *processes.workers(concurrency=options["concurrency"]),
            processes.beat(schedule_path=Path(settings.CELERY_BEAT_SCHEDULE_FILENAME)),
        ]
        supervisor = Supervisor(specs, say=lambda line: self.stderr.write(f"up: {line}"))
        self.stdout.write(f"loancrm: http://{options['host']}:{options['port']}/admin/")
        self.stdout.flush()
        supervisor.start()
        supervisor.run()

    def _first_user(self) -> None:
        """Create an administrator with a random password where nobody could sign in."""
        if User.objects.exists():
            return
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser("admin", password=password)
        self.stdout.write(f"First start: sign in as admin with the password {password}")
