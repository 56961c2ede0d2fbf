"""What a campaign's groups will show, in words."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns.domain.experiments.power import ExpectedPower
from campaigns.labels import experiments
from campaigns.services.campaigns.forecasts import Forecast


def of_forecast(forecast: Forecast) -> list[dict[str, Any]]:
    """Return what the control group and the variants will show, each with its sizes."""
    power = forecast.power
    if power is None:
        return []
    found = []
    if power.holdout is not None:
        found.append(_line(_("The control group against everybody else"), power.holdout))
    if power.variants is not None:
        name = _("The variants against the first one, by people %(metric)s") % {
            "metric": experiments.WINNER_METRICS.label(power.metric)
        }
        found.append(_line(name, power.variants))
    return found


def _line(name: str, power: ExpectedPower) -> dict[str, Any]:
    return {
        "name": name,
        "control": power.control,
        "treated": power.treated,
        "base": _percent(power.base),
        "rise": _percent(power.rise),
        "needed": [(f"{rise:.0%}", count) for rise, count in power.needed.items()],
    }


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.2f} %"
