"""The kernel: what every app stands on."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class KernelConfig(AppConfig):
    """Audit, access, encryption, clock, jobs."""

    name = "loancrm.kernel"
    label = "kernel"
    verbose_name = _("Administration")

    def ready(self) -> None:
        """Register the system checks; look at keys and tables whenever something migrates."""
        from loancrm.kernel import checks, lookups  # noqa: F401, PLC0415 - register on import

        post_migrate.connect(_look_at_the_database, sender=self)


def _look_at_the_database(**given: Any) -> None:
    from django.conf import settings  # noqa: PLC0415 - likewise

    from loancrm.kernel import append_only, keys  # noqa: PLC0415 - needs loaded models
    from loancrm.kernel.running import readiness  # noqa: PLC0415 - likewise

    # `flush` sends the same signal, without a plan: it changes rows only.
    if "plan" in given:
        readiness.refuse_other_schema()
    if keys.has_tables():
        keys.note_active_key()
    if "plan" in given and settings.LOANCRM_GUARD_TABLES:
        append_only.install()
