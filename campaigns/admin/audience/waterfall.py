"""The waterfall of a launch: from the segment to the messages, line by line."""

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.labels.audience import EXCLUSION_REASONS
from campaigns.services.campaigns.forecasts import Forecast
from campaigns.services.campaigns.rehearsal.dry_runs import DryRun


class WaterfallLine(NamedTuple):
    """One line.

    Attributes:
        key: What the line is, for who reads the page by program.
        left: How many are still in it after this line.
        is_sum: It says how many are left, and takes nobody out.
    """

    key: str
    text: str
    people: int
    left: int
    is_sum: bool = False


def of_forecast(found: Forecast) -> list[WaterfallLine]:
    """Return the lines of a forecast."""
    return _lines(
        found.segment, found.excluded, (0, ""), found.held_out, found.skipped, found.to_send, {}
    )


def of_dry_run(found: DryRun) -> list[WaterfallLine]:
    """Return the lines of a dry run."""
    waits_for = _("Wait for the end of the test of texts")
    if found.is_triggered:
        waits_for = _("Wait for what triggers the campaign")
    return _lines(
        found.segment,
        found.excluded,
        (found.later, waits_for),
        found.held_out,
        found.skipped,
        len(found.to_send),
        found.waiting,
    )


def _lines(
    segment: int,
    excluded: Mapping[str, int],
    later: tuple[int, str],
    held_out: int,
    skipped: Mapping[str, int],
    to_send: int,
    waiting: Mapping[str, int],
) -> list[WaterfallLine]:
    lines = [WaterfallLine("segment", _("In the segment"), segment, segment, is_sum=True)]

    def take(key: str, text: str, people: int) -> None:
        if people:
            lines.append(WaterfallLine(key, text, people, lines[-1].left - people))

    for reason, people in excluded.items():
        take(reason, EXCLUSION_REASONS.label(reason), people)
    take("later", later[1], later[0])
    audience = lines[-1].left
    lines.append(WaterfallLine("audience", _("Audience"), audience, audience, is_sum=True))
    take("held_out", _("Kept in the control group"), held_out)
    for reason, people in skipped.items():
        take(reason, labels.SKIP_REASONS.label(reason), people)
    for reason, people in waiting.items():
        take(reason, labels.SKIP_REASONS.label(reason), people)
    lines.append(WaterfallLine("to_send", _("Messages"), to_send, to_send, is_sum=True))
    return lines
