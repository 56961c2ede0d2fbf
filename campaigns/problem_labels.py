"""How what is wrong with a campaign's description is read aloud: where it stands, and why."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.given.problems import Problem, ProblemCode

_GIVEN: Mapping[ProblemCode, Any] = {
    ProblemCode.AT_LEAST: _("at least %(limit)s"),
    ProblemCode.AT_MOST: _("at most %(limit)s"),
    ProblemCode.CONTENT_EXPECTED: _("a text or HTML is expected"),
    ProblemCode.EXISTS: _("a campaign of this name exists"),
    ProblemCode.FALLBACK_CHANNEL_EXPECTED: _(
        "there is a fallback text, but no channel to send it through"
    ),
    ProblemCode.FALLBACK_TEXT_EXPECTED: _(
        "a fallback needs a text of its own, or the word “%(limit)s”"
    ),
    ProblemCode.LIST_EXPECTED: _("a list is expected"),
    ProblemCode.NUMBER_EXPECTED: _("a number of at least 0 is expected"),
    ProblemCode.OBJECT_EXPECTED: _("an object is expected"),
    ProblemCode.ONE_OF: _("must be one of %(limit)s"),
    ProblemCode.SAME_TEXT_AS_WHAT: _(
        "the first variant is the message itself and needs a text of its own"
    ),
    ProblemCode.SEGMENT_EXPECTED: _("a segment is expected"),
    ProblemCode.SLUG_EXPECTED: _("a short name of letters, digits and hyphens is expected"),
    ProblemCode.STEP_EXPECTED: _("at least one step is expected"),
    ProblemCode.TEXT_EXPECTED: _("a text is expected"),
    ProblemCode.TIME_EXPECTED: _(
        "a time with its offset is expected, such as 2026-03-02T10:00:00+08:00"
    ),
    ProblemCode.TOO_LONG: _("at most %(limit)s characters"),
    ProblemCode.TOO_MANY_DECIMALS: _("at most %(limit)s decimal places"),
    ProblemCode.UNKNOWN: _("there is no “%(limit)s”"),
    ProblemCode.UNKNOWN_KEY: _("this field is not known or cannot be changed"),
    ProblemCode.VARIANT_EXPECTED: _("at least one variant is expected"),
    ProblemCode.VARIANT_KEYS: _("every variant needs a key of its own"),
    ProblemCode.WHOLE_EXPECTED: _("a whole number is expected"),
}


def problem(found: Problem) -> str:
    """Return why a value that somebody gave is refused."""
    return str(_GIVEN[found.code]) % {"limit": found.limit}


# Keys of a campaign's description, as a reader would say them.
_PLACES: Mapping[str, Any] = {
    "amount": _("amount"),
    "author": _("author"),
    "budget": _("budget"),
    "budget_amount": _("budget"),
    "category": _("kind of cost"),
    "channel": _("channel"),
    "content": _("text"),
    "cost_per_message": _("cost a message"),
    "costs": _("cost"),
    "description": _("description"),
    "en": _("English"),
    "event": _("event"),
    "fallback_after_minutes": _("fallback's waiting time"),
    "fallback_channel": _("fallback channel"),
    "fallback_content": _("fallback's text"),
    "goal": _("goal"),
    "goal_event": _("goal"),
    "goal_window_days": _("goal window in days"),
    "holdout_share": _("control group"),
    "html": _("HTML"),
    "late_limit_hours": _("latest start, hours late"),
    "name": _("name"),
    "note": _("note"),
    "purpose": _("purpose"),
    "schedule": _("schedule"),
    "segment": _("segment"),
    "service_kind": _("kind of service message"),
    "slug": _("short name"),
    "start_at": _("start"),
    "steps": _("message"),
    "subject": _("subject"),
    "text": _("body"),
    "variants": _("variant"),
    "weight": _("weight"),
    "window_days": _("goal window in days"),
    "zh-hans": _("Chinese"),
}


def place(path: str) -> str:
    """Return where something stands in a description, as a reader would say it."""
    names: list[str] = []
    for part in path.split("."):
        key, _bracket, index = part.partition("[")
        name = str(_PLACES.get(key, f"“{key}”"))
        names.append(f"{name} {int(index[:-1]) + 1}" if index[:-1].isdigit() else name)
    return " · ".join(names)
