"""How what is wrong with a campaign's description is read aloud: where it stands, and why."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.given.problems import ValueProblem, ValueProblemCode
from loancrm.kernel.words.vocabulary import Vocabulary

_GIVEN = Vocabulary(
    ValueProblemCode,
    {
        ValueProblemCode.AT_LEAST: _("at least %(limit)s"),
        ValueProblemCode.AT_MOST: _("at most %(limit)s"),
        ValueProblemCode.CONTENT_EXPECTED: _("a text or HTML is expected"),
        ValueProblemCode.END_BEFORE_START: _("the end must be later than the start"),
        ValueProblemCode.EXISTS: _("a campaign of this name exists"),
        ValueProblemCode.FALLBACK_CHANNEL_EXPECTED: _(
            "there is a fallback text, but no channel to send it through"
        ),
        ValueProblemCode.FALLBACK_TEXT_EXPECTED: _(
            "a fallback needs a text of its own, or the word “%(limit)s”"
        ),
        ValueProblemCode.FLAG_EXPECTED: _("true or false is expected"),
        ValueProblemCode.LIST_EXPECTED: _("a list is expected"),
        ValueProblemCode.NUMBER_EXPECTED: _("a number of at least 0 is expected"),
        ValueProblemCode.OBJECT_EXPECTED: _("an object is expected"),
        ValueProblemCode.OFFER_UNDER_SERVICE: _(
            "offers credit, which needs a consent for marketing"
        ),
        ValueProblemCode.ONE_OF: _("must be one of %(limit)s"),
        ValueProblemCode.SAME_TEXT_AS_WHAT: _(
            "the first variant is the message itself and needs a text of its own"
        ),
        ValueProblemCode.SEGMENT_EXPECTED: _("a segment is expected"),
        ValueProblemCode.SLUG_EXPECTED: _(
            "a short name of letters, digits and hyphens is expected"
        ),
        ValueProblemCode.STEP_EXPECTED: _("at least one step is expected"),
        ValueProblemCode.TRIGGER_OR_CALENDAR: _(
            "a campaign waits for triggers or has a calendar, not both"
        ),
        ValueProblemCode.TEST_RUNS_ONCE: _("a campaign whose texts are tested cannot run again"),
        ValueProblemCode.TEXT_EXPECTED: _("a text is expected"),
        ValueProblemCode.TIME_EXPECTED: _(
            "a time with its offset is expected, such as 2026-03-02T10:00:00+08:00"
        ),
        ValueProblemCode.TOO_LONG: _("at most %(limit)s characters"),
        ValueProblemCode.TOO_MANY_DECIMALS: _("at most %(limit)s decimal places"),
        ValueProblemCode.TWO_VARIANTS_EXPECTED: _(
            "a test needs at least two variants of the first message"
        ),
        ValueProblemCode.UNKNOWN: _("there is no “%(limit)s”"),
        ValueProblemCode.UNKNOWN_KEY: _("this field is not known or cannot be changed"),
        ValueProblemCode.VARIANT_EXPECTED: _("at least one variant is expected"),
        ValueProblemCode.VARIANT_KEYS: _("every variant needs a key of its own"),
        ValueProblemCode.WHOLE_EXPECTED: _("a whole number is expected"),
    },
)


def problem(found: ValueProblem) -> str:
    """Return why a value that somebody gave is refused."""
    return _GIVEN.label(found.code) % {"limit": found.limit}


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
    "decide_after_hours": _("decided after hours"),
    "en": _("English"),
    "event": _("event"),
    "only_if": _("only for"),
    "after_minutes": _("minutes after the message before"),
    "message_limit": _("most messages"),
    "daily_message_limit": _("most messages a day"),
    "exclude": _("exclusions"),
    "exclusions": _("exclusions"),
    "segments": _("segments that are left out"),
    "campaigns": _("campaigns whose message counts"),
    "tags": _("tags of campaigns whose message counts"),
    "messaged_days": _("days since the message"),
    "applied_days": _("days since the application"),
    "called_days": _("days since the call"),
    "experiment": _("test of texts"),
    "fallback_after_minutes": _("fallback's waiting time"),
    "fallback_channel": _("fallback channel"),
    "fallback_content": _("fallback's text"),
    "goal": _("goal"),
    "goal_event": _("goal"),
    "goal_window_days": _("goal window in days"),
    "holdout_share": _("control group"),
    "html": _("HTML"),
    "late_limit_hours": _("latest start, hours late"),
    "margins": _("harm that is borne"),
    "metric": _("what the best text is known by"),
    "name": _("name"),
    "note": _("note"),
    "product_kind": _("what it is about"),
    "opted_out": _("opt-outs"),
    "complained": _("complaints"),
    "purpose": _("purpose"),
    "schedule": _("schedule"),
    "segment": _("segment"),
    "service_kind": _("kind of service message"),
    "slug": _("short name"),
    "end_at": _("end"),
    "start_at": _("start"),
    "stops_at_goal": _("no message after the goal"),
    "stops_messages": _("no message after the goal"),
    "steps": _("message"),
    "subject": _("subject"),
    "test_share": _("test share"),
    "text": _("body"),
    "variants": _("variant"),
    "weight": _("weight"),
    "window_days": _("goal window in days"),
    "without_winner": _("without a winner"),
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
