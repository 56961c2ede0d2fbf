"""Analytics: what happened, what it cost, what it was worth."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    """The analytics app."""

    name = "analytics"
    verbose_name = _("Analytics")
