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
        """Register the system checks; note the active key once its table is there."""
        from loancrm.kernel import checks, lookups  # noqa: F401, PLC0415 - register on import

        post_migrate.connect(_note_active_key, sender=self)


def _note_active_key(**_: Any) -> None:
    from loancrm.kernel import keys  # noqa: PLC0415 - needs loaded models

    keys.note_active_key()
