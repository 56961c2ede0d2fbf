"""Run web, worker and beat together, for development and for small installations."""

import os
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections

from loancrm.kernel import roles
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand
from loancrm.kernel.processes import programs
from loancrm.kernel.processes.supervisor import Supervisor
from loancrm.kernel.running import claims, readiness


class Command(LoanCrmCommand):
    uses_data = False
    help = "Migrate the database, then run web, worker and beat until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=arguments.whole(1, 65535), default=8000)
        parser.add_argument("--web-workers", type=arguments.whole(1, 64), default=1)
        parser.add_argument(
            "--concurrency",
            type=arguments.whole(1, 64),
            default=2,
            help="processes for files and figures",
        )
        parser.add_argument("--no-migrate", action="store_true")

    def handle(self, **options: Any) -> None:
        # Held until this process ends: a second worker and beat on one folder help nobody.
        with claims.claim_folder(settings.LOANCRM_VAR_DIR):
            claims.require_free(options["host"], options["port"])
            self._prepare(has_migrations=not options["no_migrate"])
            self._run(options)

    def _prepare(self, *, has_migrations: bool) -> None:
        if has_migrations:
            call_command("migrate", interactive=False, verbosity=0)
            roles.ensure_roles()
            self._first_user()
        if readiness.collects_static():
            call_command("collectstatic", interactive=False, verbosity=0)
        readiness.refuse_unusable()

    def _run(self, options: dict[str, Any]) -> None:
        connections.close_all()
        # Links in messages lead to where this very server listens, unless somebody said otherwise.
        host = "127.0.0.1" if options["host"] in {"0.0.0.0", "::"} else options["host"]  # noqa: S104 - compared, not listened on
        os.environ.setdefault("LOANCRM_PUBLIC_URL", f"http://{host}:{options['port']}")
        specs = [
            programs.web(
                host=options["host"], port=options["port"], workers=options["web_workers"]
            ),
            *programs.workers(concurrency=options["concurrency"]),
            programs.beat(schedule_path=Path(settings.CELERY_BEAT_SCHEDULE_FILENAME)),
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
