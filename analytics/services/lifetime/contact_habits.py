"""Say when and on which channel each customer responds, as scores with version and history."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np

from analytics.domain.lifetime.contact_habits import (
    HOURS,
    best_hour,
    group_hours,
    group_rate,
    smoothed_hours,
    smoothed_rate,
)
from analytics.selectors.lifetime import contact_facts
from analytics.selectors.lifetime.contact_facts import ChannelCount, HourCount
from customers.domain.consents.consent import ConsentChannel
from customers.domain.fields.score_bands import BEST_SEND_HOUR, CHANNEL_PROPENSITY
from customers.services import scores
from customers.services.scores import GivenScore
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor

_ADD = "customers.add_score"
VERSION = "contact-habits-1"
_PART = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class ContactHabits:
    """How many customers have a best hour, and a response on any channel."""

    with_hour: int
    with_channel: int
    version: str = VERSION


def describe_contact_habits(*, actor: Actor, now: datetime) -> ContactHabits:
    """Describe the habits of everybody who was there, or was written to, in the last year.

    The scores are `best_send_hour` (0 to 23, in the customer's own time zone) and
    `channel_propensity.<kind>` (share of messages responded to, a click). Both lean on what is
    usual in the customer's stage of life with us. Rules read them as `score.…`; what is the same as
    before adds nothing.

    Raises:
        PermissionRefused: The actor may not add scores.
    """
    access.require(actor, _ADD)
    hours = _hours(contact_facts.hour_counts(now=now, company_zone=clock.company_zone()))
    rates = _rates(contact_facts.channel_counts(now=now))
    given = {BEST_SEND_HOUR: hours, **rates}
    for name, rows in given.items():
        scores.record_scores(
            actor=actor, model_name=name, version=VERSION, scores=rows, now=now, is_complete=True
        )
    written_to = {score.customer_id for rows in rates.values() for score in rows}
    return ContactHabits(len(hours), len(written_to))


def _hours(counts: Iterable[HourCount]) -> list[GivenScore]:
    groups: dict[str, list[float]] = defaultdict(lambda: [0.0] * HOURS)
    own: dict[int, tuple[str, list[tuple[int, int]]]] = {}
    for row in counts:
        groups[row.group][row.hour] += row.count
        own.setdefault(row.customer_id, (row.group, []))[1].append((row.hour, row.count))
    shares = {name: group_hours(found) for name, found in groups.items()}
    given = []
    for customer_id, (group, found) in sorted(own.items()):
        seen = np.zeros(HOURS)
        for hour, count in found:
            seen[hour] = count
        given.append(
            GivenScore(customer_id, Decimal(best_hour(smoothed_hours(seen, shares[group]))))
        )
    return given


def _rates(counts: Iterable[ChannelCount]) -> dict[str, list[GivenScore]]:
    rows = list(counts)
    groups: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        total = groups[row.channel, row.group]
        total[0] += min(row.responses, row.messages)
        total[1] += row.messages
    usual = {key: group_rate(*total) for key, total in groups.items()}
    given: dict[str, list[GivenScore]] = {
        f"{CHANNEL_PROPENSITY}{kind}": [] for kind in ConsentChannel
    }
    for row in rows:
        name = f"{CHANNEL_PROPENSITY}{row.channel}"
        # A click without a message of the period answers one from before.
        if name in given and row.messages:
            rate = smoothed_rate(row.responses, row.messages, usual[row.channel, row.group])
            given[name].append(GivenScore(row.customer_id, Decimal(rate).quantize(_PART)))
    return given
