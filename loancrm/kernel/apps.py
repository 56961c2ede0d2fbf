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
        from django.contrib.auth.models import Group  # noqa: PLC0415 - complete only now

        from loancrm.kernel import roles  # noqa: PLC0415 - register on import
        from loancrm.kernel.database import lookups  # noqa: F401, PLC0415 - register on import
        from loancrm.kernel.processes import checks  # noqa: F401, PLC0415 - register on import

        # Lists, titles and choices of Django's own pages name a group by this.
        def in_words(group: Group) -> str:
            return roles.read(group.name)

        roles.refuse_unknown_rights()
        Group.__str__ = in_words  # type: ignore[assignment,method-assign]
        post_migrate.connect(_look_at_the_database, sender=self)


def _look_at_the_database(**given: Any) -> None:
    from django.conf import settings  # noqa: PLC0415 - likewise

    from loancrm.kernel.auditing import append_only  # noqa: PLC0415 - needs loaded models
    from loancrm.kernel.changes import history, stamps  # noqa: PLC0415 - needs loaded models
    from loancrm.kernel.running import readiness  # noqa: PLC0415 - likewise
    from loancrm.kernel.security import keys  # noqa: PLC0415 - needs loaded models

    # `flush` sends the same signal, without a plan: it changes rows only.
    if "plan" in given:
        readiness.refuse_other_schema()
    if keys.has_tables():
        keys.note_active_key()
    if "plan" in given:
        stamps.install()
        history.install()
    if "plan" in given and settings.LOANCRM_GUARD_TABLES:
        append_only.install()
