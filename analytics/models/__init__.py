"""All tables of the app, so that Django finds them."""

from analytics.models.discovery import DiscoveryModel
from analytics.models.snapshot import MetricSnapshot

__all__ = ["DiscoveryModel", "MetricSnapshot"]
