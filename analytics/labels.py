"""How metrics, notes and windows are read aloud, in the language of the reader."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.domain.figures import Figure, Note, Number, Window, WindowKind, WindowUnit

METRICS = {
    "conversion_rate": gettext_lazy("Conversion (of all eligible)"),
    "conversion_rate_sent": gettext_lazy("Conversion of people sent to"),
    "conversion_rate_delivered": gettext_lazy("Conversion of people reached"),
    "conversion_rate_clicked": gettext_lazy("Conversion of people who clicked"),
    "delivery_rate": gettext_lazy("Delivered of sent"),
    "click_rate": gettext_lazy("Clicked of delivered"),
    "control_conversion_rate": gettext_lazy("Conversion of the control group"),
    "lift": gettext_lazy("Lift over the control group"),
    "relative_lift": gettext_lazy("Relative lift"),
    "incremental_conversions": gettext_lazy("Extra conversions"),
    "cost": gettext_lazy("Total cost"),
    "cost_per_conversion": gettext_lazy("Cost per conversion (fully loaded)"),
    "cac": gettext_lazy("Acquisition cost (media and messages)"),
    "cac_fully_loaded": gettext_lazy("Acquisition cost, fully loaded"),
    "cac_incremental": gettext_lazy("Acquisition cost of an extra customer"),
    "roi": gettext_lazy("Return on cost"),
    "retention": gettext_lazy("Retention"),
    "rolling_retention": gettext_lazy("Rolling retention"),
    "ever_30_plus": gettext_lazy("Ever 30+ days past due"),
    "ever_90_plus": gettext_lazy("Ever 90+ days past due"),
}
NOTES = {
    Note.NO_CASES: gettext_lazy("Nobody to count yet"),
    Note.IMMATURE: gettext_lazy("Too early: the window has not ended"),
    Note.NOT_IDENTIFIED: gettext_lazy("Not identified: the interval includes zero"),
    Note.NO_HOLDOUT: gettext_lazy("No control group to compare with"),
    Note.NO_COST: gettext_lazy("No cost on record"),
    Note.NO_LOANS: gettext_lazy("No loans on record"),
    Note.NO_REPAYMENTS: gettext_lazy("No repayments on record"),
    Note.NO_MARGIN: gettext_lazy("No margin on record"),
    Note.ALLOCATION_OFF: gettext_lazy("The groups do not have the intended sizes"),
}
MONEY = frozenset({"cost", "cost_per_conversion", "cac", "cac_fully_loaded", "cac_incremental"})
COUNTS = frozenset({"incremental_conversions"})
POINTS = frozenset({"lift"})


def metric(name: str) -> str:
    """Return a metric's name in words."""
    return str(METRICS.get(name, name))


def note(value: Note | None) -> str:
    """Return why a figure has no value, in words; empty when there is nothing to say."""
    return str(NOTES[value]) if value else ""


def value(figure: Figure) -> str:
    """Return a figure's value as people write it; a dash where it is unknown."""
    return number(figure.metric, figure.value)


def number(name: str, given: Number | None) -> str:
    """Return a number of a metric with its unit."""
    if given is None:
        return "–"
    if name in MONEY:
        return f"¥{Decimal(given):,.2f}"
    if name in COUNTS:
        return f"{given:,.1f}"
    if name in POINTS:
        return _("%(points)s pp") % {"points": f"{float(given) * 100:+.2f}"}
    return f"{float(given) * 100:.2f}%"


def interval(figure: Figure) -> str:
    """Return the 95 % interval in words; empty where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    return _("95%% interval %(low)s to %(high)s") % {
        "low": number(figure.metric, figure.low),
        "high": number(figure.metric, figure.high),
    }


def window(given: Window) -> str:
    """Return a window in words."""
    length = given.length or 0
    amount = (
        ngettext("%(count)s month", "%(count)s months", length)
        if given.unit == WindowUnit.MONTH
        else ngettext("%(count)s day", "%(count)s days", length)
    ) % {"count": length}
    texts = {
        WindowKind.WHOLE_CAMPAIGN: _("the whole campaign"),
        WindowKind.AFTER_EXPOSURE: _("%(amount)s after the message") % {"amount": amount},
        WindowKind.AFTER_CONVERSION: _("%(amount)s after the conversion") % {"amount": amount},
        WindowKind.AFTER_DISBURSEMENT: _("%(amount)s on book") % {"amount": amount},
    }
    return texts[given.kind]


def moment(at: datetime) -> str:
    """Return a moment in the company's zone."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def plain(given: Number | None) -> str:
    """Return a numerator or a denominator."""
    if given is None:
        return "–"
    return f"{given:,.2f}" if isinstance(given, Decimal | float) else f"{given:,}"


def against(figure: Figure) -> str:
    """Return the control group's parts of a difference in words; empty where it has none."""
    if figure.control is None:
        return ""
    numerator, denominator = figure.control
    return _("against %(numerator)s of %(denominator)s in the control group") % {
        "numerator": plain(numerator),
        "denominator": plain(denominator),
    }


def parts(figure: Figure) -> str:
    """Return value, numerator, denominator, window and as-of of a figure as lines of text."""
    lines = [
        f"{metric(figure.metric)}: {value(figure)}",
        interval(figure),
        _("%(numerator)s of %(denominator)s")
        % {"numerator": plain(figure.numerator), "denominator": plain(figure.denominator)},
        against(figure),
        _("Window: %(window)s") % {"window": window(figure.window)},
        _("As of %(moment)s") % {"moment": moment(figure.as_of)},
        note(figure.note),
    ]
    if figure.excluded_count:
        lines.append(
            _("%(count)s left out: their window has not ended") % {"count": figure.excluded_count}
        )
    return "\n".join(line for line in lines if line)


def row(figure: Figure) -> Mapping[str, Any]:
    """Return a figure as the cells of a table."""
    return {
        "metric": metric(figure.metric),
        "value": value(figure),
        "interval": interval(figure),
        "numerator": plain(figure.numerator),
        "denominator": plain(figure.denominator),
        "window": window(figure.window),
        "as_of": moment(figure.as_of),
        "excluded": figure.excluded_count,
        "note": note(figure.note),
        "against": against(figure),
    }
