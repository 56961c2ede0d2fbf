"""Customers: who they are, what they owe, what they agreed to, which groups they are in."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """The customers app."""

    name = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        """Register the tasks, in web processes too, and what SQLite lacks."""
        from customers import tasks  # noqa: F401, PLC0415 - registers on import
        from customers.selectors.segments import pattern_lookup  # noqa: PLC0415 - needs the loaded apps

        connection_created.connect(pattern_lookup.teach_sqlite)
