"""How metrics, notes and windows are read aloud, in the language of the reader."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.domain.discovery_choices import Method
from analytics.domain.figures import Figure, Metric, Note, Number, Window, WindowKind, WindowUnit
from loancrm.kernel.models import WorkState
from loancrm.kernel.words.vocabulary import Term, Vocabulary
from loancrm.kernel.work import labels as work_labels

METRICS = Vocabulary(
    Metric,
    {
        Metric.CONVERSION_RATE: Term(
            gettext_lazy("Conversion (of all eligible)"),
            icon="target",
            hint=gettext_lazy("Counted in people: converted, of all who were eligible."),
        ),
        Metric.CONVERSION_RATE_SENT: gettext_lazy("Conversion of people sent to"),
        Metric.CONVERSION_RATE_DELIVERED: gettext_lazy("Conversion of people reached"),
        Metric.CONVERSION_RATE_CLICKED: gettext_lazy("Conversion of people who clicked"),
        Metric.DELIVERY_RATE: gettext_lazy("Delivered of sent"),
        Metric.CLICK_RATE: gettext_lazy("Clicked of delivered"),
        Metric.CONTROL_CONVERSION_RATE: gettext_lazy("Conversion of the control group"),
        Metric.LIFT: Term(
            gettext_lazy("Lift over the control group"),
            icon="trending_up",
            hint=gettext_lazy("Counted in people: conversion less that of the control group."),
        ),
        Metric.RELATIVE_LIFT: gettext_lazy("Relative lift"),
        Metric.INCREMENTAL_CONVERSIONS: Term(
            gettext_lazy("Extra conversions"),
            icon="person_add",
            hint=gettext_lazy("Counted in people: converted beyond what the control group did."),
        ),
        Metric.COST: Term(
            gettext_lazy("Total cost"),
            icon="payments",
            hint=gettext_lazy(
                "Counted in messages: all that were handed over, and recorded spending."
            ),
        ),
        Metric.COST_PER_CONVERSION: gettext_lazy("Cost per conversion (fully loaded)"),
        Metric.CAC: gettext_lazy("Acquisition cost (media and messages)"),
        Metric.CAC_FULLY_LOADED: Term(
            gettext_lazy("Acquisition cost, fully loaded"),
            icon="account_balance_wallet",
            hint=gettext_lazy("Counted in people: total cost for each newly funded customer."),
        ),
        Metric.CAC_INCREMENTAL: gettext_lazy("Acquisition cost of an extra customer"),
        Metric.ROI: Term(
            gettext_lazy("Return on cost"),
            icon="savings",
            hint=gettext_lazy(
                "Counted in money: margin of the extra conversions less expected loss and cost, "
                "for each yuan of cost."
            ),
        ),
        Metric.RETENTION: gettext_lazy("Retention"),
        Metric.ROLLING_RETENTION: gettext_lazy("Rolling retention"),
        Metric.DEFAULT_RATE: Term(
            gettext_lazy("Default rate of the book"),
            hint=gettext_lazy("Loans ever in default, of all loans that were paid out."),
        ),
        Metric.FINISHED_DEFAULT_RATE: Term(
            gettext_lazy("Default rate of finished loans"),
            hint=gettext_lazy(
                "Loans ever in default, of those that are settled or charged off. It says more of "
                "how loans end: running ones may still fail."
            ),
        ),
        Metric.EVER_30_PLUS: gettext_lazy("Ever 30+ days past due"),
        Metric.EVER_90_PLUS: gettext_lazy("Ever 90+ days past due"),
        Metric.EVER_30_PLUS_AMOUNT: gettext_lazy("Ever 30+ days past due, by amount"),
        Metric.EVER_90_PLUS_AMOUNT: gettext_lazy("Ever 90+ days past due, by amount"),
    },
)
NOTES = Vocabulary(
    Note,
    {
        Note.NO_CASES: gettext_lazy("Nobody to count yet"),
        Note.IMMATURE: gettext_lazy("Too early: the window has not ended"),
        Note.NOT_IDENTIFIED: gettext_lazy("Not identified: the interval includes zero"),
        Note.NO_HOLDOUT: gettext_lazy("No control group to compare with"),
        Note.NO_COST: gettext_lazy("No cost on record"),
        Note.NO_LOANS: gettext_lazy("No loans on record"),
        Note.NO_REPAYMENTS: gettext_lazy("No repayments on record"),
        Note.NO_MARGIN: gettext_lazy("No margin on record"),
        Note.ALLOCATION_OFF: gettext_lazy("The groups do not have the intended sizes"),
    },
)
METHODS = Vocabulary(
    Method,
    {
        Method.RFM: Term(
            gettext_lazy("RFM quintiles"),
            icon="grid_view",
            hint=gettext_lazy("Recency, frequency and value in five steps each; eight groups."),
        ),
        Method.CLUSTERS: Term(
            gettext_lazy("Similar customers"),
            icon="bubble_chart",
            hint=gettext_lazy("Groups that the data itself falls into, with what sets them apart."),
        ),
        Method.LOOKALIKE: Term(
            gettext_lazy("Look-alikes"),
            icon="group_add",
            hint=gettext_lazy(
                "People who resemble those of a segment, ranked; measured on held-out people."
            ),
        ),
    },
)
RUN_STATES = Vocabulary(
    WorkState,
    {
        **work_labels.STATES,
        WorkState.RUNNING: Term(gettext_lazy("Searching"), tone="busy"),
        WorkState.FAILED: Term(gettext_lazy("Nothing found"), tone="bad"),
    },
)
MONEY = frozenset(
    {
        Metric.COST,
        Metric.COST_PER_CONVERSION,
        Metric.CAC,
        Metric.CAC_FULLY_LOADED,
        Metric.CAC_INCREMENTAL,
    }
)
COUNTS = frozenset({Metric.INCREMENTAL_CONVERSIONS})
POINTS = frozenset({Metric.LIFT})


def metric(name: str) -> str:
    """Return a metric's name in words."""
    return METRICS.label(name)


def basis(name: str) -> str:
    """Return what a metric is counted in and of what, in words; empty where nobody wrote it."""
    return METRICS.hint(name)


def share(figure: Figure) -> str:
    """Return how many of how many a figure is."""
    return _("%(numerator)s of %(denominator)s") % {
        "numerator": plain(figure.numerator),
        "denominator": plain(figure.denominator),
    }


def note(value: Note | None) -> str:
    """Return why a figure has no value, in words; empty when there is nothing to say."""
    return NOTES.label(value or "")


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


def bounds(figure: Figure) -> str:
    """Return the 95 % interval of a difference of shares, in points and in brackets.

    For a line with little room, beside the value with its unit; empty where there is none.
    """
    if figure.low is None or figure.high is None:
        return ""
    return f"[{float(figure.low) * 100:+.2f}, {float(figure.high) * 100:+.2f}]"


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
        share(figure),
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
