"""Campaigns: what is said, to whom, when, through what, and what came back."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """The campaigns app."""

    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        """Register the tasks, in web processes too."""
        from campaigns import tasks  # noqa: F401, PLC0415 - registers on import
