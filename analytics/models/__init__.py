"""All tables of the app, so that Django finds them."""

from analytics.models.discovery import DiscoveryModel, DiscoveryRun, RunState
from analytics.models.override import ProtectedOverride
from analytics.models.snapshot import MetricSnapshot

__all__ = ["DiscoveryModel", "DiscoveryRun", "MetricSnapshot", "ProtectedOverride", "RunState"]
