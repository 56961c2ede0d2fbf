"""The kernel: what every app stands on."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KernelConfig(AppConfig):
    """Audit, access, encryption, clock, jobs."""

    name = "loancrm.kernel"
    label = "kernel"
    verbose_name = _("Administration")

    def ready(self) -> None:
        """Register the system checks."""
        from loancrm.kernel import checks  # noqa: F401, PLC0415 - registers on import
