"""Customers: who they are, what they owe, what they agreed to, which groups they are in."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """The customers app."""

    name = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        """Register the tasks, in web processes too."""
        from customers import tasks  # noqa: F401, PLC0415 - registers on import
