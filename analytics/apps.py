"""Analytics: what happened, what it cost, what it was worth."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    """The analytics app."""

    name = "analytics"
    verbose_name = _("Analytics")

    def ready(self) -> None:
        """Register the tasks; create the roles once all permissions exist, this app's last."""
        from analytics import tasks  # noqa: F401, PLC0415 - registers on import

        post_migrate.connect(_ensure_roles, sender=self)
        post_migrate.connect(_ensure_warning_rules, sender=self)


def _ensure_roles(**_: Any) -> None:
    from loancrm.kernel import roles  # noqa: PLC0415 - needs loaded models

    if roles.has_table():
        roles.ensure_roles()


def _ensure_warning_rules(**_: Any) -> None:
    from analytics.services.warning import rules  # noqa: PLC0415 - needs loaded models

    if rules.has_table():
        rules.ensure_rules()
