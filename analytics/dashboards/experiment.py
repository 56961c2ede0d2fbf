"""The variants of a campaign on its report: how they stand, in numbers and in words."""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from analytics.domain import rates
from analytics.domain.sample_ratio import SampleDimension, SampleRatio
from analytics.labels.experiments import SAMPLE_DIMENSIONS
from analytics.selectors.experiments import CrossedExperiment, ExperimentReport
from campaigns.domain.experiments.arms import relative_difference
from campaigns.domain.experiments.content_test import ArmCounts, GuardedHarm
from campaigns.domain.experiments.sequential import SequentialReading, read_at_any_time
from campaigns.labels import experiments
from customers import labels as customer_labels


def context(report: ExperimentReport | None) -> dict[str, Any] | None:
    """Return what the report's page shows of the variants; None of a campaign with one text."""
    if report is None:
        return None
    reading = report.reading
    outcome = reading.decision.outcome
    return {
        "metric": experiments.WINNER_METRICS.label(report.metric),
        "outcome": experiments.EXPERIMENT_OUTCOMES.label(outcome),
        "tone": experiments.EXPERIMENT_OUTCOMES.tone(outcome),
        "winner": reading.decision.winner or "",
        "decision": _decision(report),
        "control": reading.control,
        "arms": [_arm(report, key, reading.arms[key]) for key in sorted(reading.arms)],
        "ratios": [_ratio(ratio) for ratio in report.ratios],
        "keys": sorted(reading.arms),
        "has_odd_sizes": any(ratio.check.is_off for ratio in report.ratios),
        "crossed": [line for other in report.crossed for line in _crossed(other)],
    }


def _decision(report: ExperimentReport) -> dict[str, Any] | None:
    test = report.test
    if test is None:
        return None
    return {
        "state": experiments.CONTENT_TEST_STATES.label(test.state),
        "tone": experiments.CONTENT_TEST_STATES.tone(test.state),
        "winner": test.winner,
        "ground": experiments.DECISION_GROUNDS.label(test.ground) if test.ground else "",
        "at": test.decided_at,
    }


def _arm(report: ExperimentReport, key: str, counts: ArmCounts) -> dict[str, Any]:
    control = report.reading.arms[report.reading.control]
    sums = counts.sums_of(report.metric)
    share = rates.wilson(int(sums.total), sums.people)
    standing = report.reading.decision.standings.get(key)
    relative = None
    if standing is not None:
        effect = relative_difference(control.sums_of(report.metric), sums)
        relative = read_at_any_time(effect) if effect and effect.error else None
    return {
        "key": key,
        "people": counts.people,
        "yes": int(sums.total),
        "rate": _percent(share.rate),
        "interval": _between(share.low, share.high),
        "is_control": standing is None,
        "difference": _reading(standing.reading) if standing else "",
        "relative": _reading(relative) if standing else "",
        "p_value": f"{standing.adjusted_p:.4f}" if standing and standing.reading else "–",
        "harms": [_harm(report, key, harm, counts) for harm in GuardedHarm],
    }


def _harm(
    report: ExperimentReport, key: str, harm: GuardedHarm, counts: ArmCounts
) -> dict[str, Any]:
    sums = counts.sums_of(harm)
    judged = report.reading.guardrails.get(key, {}).get(harm)
    return {
        "name": experiments.HARMS.label(harm),
        "count": int(sums.total),
        "rate": _percent(rates.wilson(int(sums.total), sums.people).rate),
        "difference": _reading(judged.reading) if judged else "",
        "verdict": experiments.GUARDRAILS.label(judged.verdict) if judged else "",
        "tone": experiments.GUARDRAILS.tone(judged.verdict) if judged else "",
    }


def _ratio(ratio: SampleRatio) -> dict[str, Any]:
    check = ratio.check
    return {
        "dimension": SAMPLE_DIMENSIONS.label(ratio.dimension),
        "value": _value(ratio),
        "observed": list(check.observed),
        "p_value": "–" if check.p_value is None else f"{check.p_value:.4f}",
        "is_off": check.is_off,
    }


def _value(ratio: SampleRatio) -> str:
    match ratio.dimension:
        case SampleDimension.CHANNEL:
            return customer_labels.CHANNELS.label(ratio.value)
        case SampleDimension.LANGUAGE:
            return str(translation.get_language_info(ratio.value)["name_translated"])
        case _:
            return ratio.value


def _crossed(other: CrossedExperiment) -> list[dict[str, Any]]:
    lines = [
        {
            "name": other.campaign.name,
            "people": other.people,
            "pair": f"{one.arm} × {one.other_arm}",
            "value": f"{_percent(one.value)} ({_between(one.low, one.high)})",
            "p_value": f"{one.p_value:.4f}",
            "is_shown": one.is_shown,
        }
        for one in other.found
    ]
    nothing = {"name": other.campaign.name, "people": other.people, "pair": "–", "value": ""}
    return lines or [{**nothing, "p_value": "–", "is_shown": False}]


def _reading(reading: SequentialReading | None) -> str:
    if reading is None:
        return _("cannot be estimated")
    return f"{_percent(reading.value, sign=True)} ({_between(reading.low, reading.high)})"


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    return _("%(low)s to %(high)s") % {"low": _percent(low), "high": _percent(high)}


def _percent(share: float | None, *, sign: bool = False) -> str:
    if share is None:
        return "–"
    return f"{share * 100:+.2f} %" if sign else f"{share * 100:.2f} %"
