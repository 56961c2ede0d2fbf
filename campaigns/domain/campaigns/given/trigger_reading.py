"""Reading and writing what a campaign waits for as plain values."""

from collections.abc import Mapping
from typing import Any

from campaigns.domain.campaigns.given.problems import ValueProblemCode
from campaigns.domain.campaigns.given.reader import Reader
from campaigns.domain.campaigns.recurrence import Again
from campaigns.domain.campaigns.trigger import (
    LONGEST_CONDITION,
    MOST_DELAY_MINUTES,
    TRIGGER_EVENTS,
    Trigger,
    TriggerKind,
)

_KEYS = {
    "on", "event", "channel", "subject", "amount_at_least", "amount_at_most", "delay_minutes",
    "again", "again_after_days",
}  # fmt: skip
_OF_EVENTS = ("event", "channel", "subject", "amount_at_least", "amount_at_most")


def read_trigger(source: Any, read: Reader, path: str) -> Trigger | None:
    """Return what a campaign waits for, None where nothing is said; problems are noted."""
    if not source:
        return None
    values = read.mapping(source, path)
    for key in sorted(set(values) - _KEYS):
        read.wrong(f"{path}.{key}", ValueProblemCode.UNKNOWN_KEY)
    kind = values.get("on")
    if kind not in set(TriggerKind):
        read.wrong(f"{path}.on", ValueProblemCode.ONE_OF, ", ".join(TriggerKind))
        return None
    again = values.get("again") or Again.EVERY_RUN
    if again not in set(Again):
        read.wrong(f"{path}.again", ValueProblemCode.ONE_OF, ", ".join(Again))
        again = Again.EVERY_RUN
    delay = read.whole(values, "delay_minutes", f"{path}.delay_minutes", 0, most=MOST_DELAY_MINUTES)
    days = read.whole(values, "again_after_days", f"{path}.again_after_days", 30)
    given: dict[str, Any] = {}
    if kind == TriggerKind.EVENT:
        given = _conditions(values, read, path)
    else:
        # A call says whom it is about and nothing else.
        for key in _OF_EVENTS:
            if values.get(key) not in (None, ""):
                read.wrong(f"{path}.{key}", ValueProblemCode.UNKNOWN_KEY)
    return Trigger(
        kind=TriggerKind(kind),
        delay_minutes=delay,
        again=Again(again),
        again_after_days=days,
        **given,
    )


def stored(trigger: Trigger | None) -> dict[str, Any] | None:
    """Return what a campaign waits for as plain values that `read_trigger` reads back."""
    if trigger is None:
        return None
    return {
        "on": trigger.kind.value,
        "event": trigger.event,
        "channel": trigger.channel,
        "subject": trigger.subject,
        "amount_at_least": _number(trigger.amount_at_least),
        "amount_at_most": _number(trigger.amount_at_most),
        "delay_minutes": trigger.delay_minutes,
        "again": trigger.again.value,
        "again_after_days": trigger.again_after_days,
    }


def of_stored(value: Mapping[str, Any] | None) -> Trigger | None:
    """Return what is stored."""
    return read_trigger(value, Reader(), "")


def _conditions(values: Mapping[str, Any], read: Reader, path: str) -> dict[str, Any]:
    event = values.get("event")
    if event not in TRIGGER_EVENTS:
        read.wrong(f"{path}.event", ValueProblemCode.ONE_OF, ", ".join(TRIGGER_EVENTS))
        event = ""
    texts = {key: read.text(values, key, f"{path}.{key}") for key in ("channel", "subject")}
    for key, text in texts.items():
        if len(text) > LONGEST_CONDITION:
            read.wrong(f"{path}.{key}", ValueProblemCode.TOO_LONG, str(LONGEST_CONDITION))
    least = read.number(values, "amount_at_least", f"{path}.amount_at_least", None)
    most = read.number(values, "amount_at_most", f"{path}.amount_at_most", None)
    if least is not None and most is not None and most < least:
        read.wrong(f"{path}.amount_at_most", ValueProblemCode.AT_LEAST, str(least))
    return {"event": str(event), "amount_at_least": least, "amount_at_most": most, **texts}


def _number(value: Any) -> str | None:
    return None if value is None else str(value)
