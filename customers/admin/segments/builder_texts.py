"""What the rule builder in the browser says, by the names that its code knows the texts by.

The names are those of `frontend/src/rule_builder/texts.ts`; the words stand in the catalogue.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import pgettext_lazy

_TEXTS: Final[Mapping[str, Any]] = {
    "builder": pgettext_lazy("rule builder", "Conditions of the segment"),
    "group": pgettext_lazy("rule builder", "Group of conditions"),
    "allOf": pgettext_lazy("rule builder", "All of"),
    "anyOf": pgettext_lazy("rule builder", "Any of"),
    "not": pgettext_lazy("rule builder", "Not"),
    "addRule": pgettext_lazy("rule builder", "Condition"),
    "addGroup": pgettext_lazy("rule builder", "Group"),
    "remove": pgettext_lazy("rule builder", "Remove"),
    "clone": pgettext_lazy("rule builder", "Duplicate"),
    "chooseField": pgettext_lazy("rule builder", "Choose a field…"),
    "searchField": pgettext_lazy("rule builder", "Search fields…"),
    "noField": pgettext_lazy("rule builder", "No field matches"),
    "chooseValue": pgettext_lazy("rule builder", "Choose…"),
    "and": pgettext_lazy("between two values", "and"),
    "days": pgettext_lazy("rule builder", "days"),
    "value": pgettext_lazy("rule builder", "Value"),
    "addValue": pgettext_lazy("rule builder", "Type a value, press Enter"),
    "yes": pgettext_lazy("rule builder", "Yes"),
    "no": pgettext_lazy("rule builder", "No"),
    "event": pgettext_lazy("rule builder", "Event"),
    "measure": pgettext_lazy("rule builder", "Measure"),
    "comparison": pgettext_lazy("rule builder", "Comparison"),
    "amount": pgettext_lazy("rule builder", "Number"),
    "window": pgettext_lazy("rule builder", "Period"),
    "ever": pgettext_lazy("rule builder", "at any time"),
    "lastDays": pgettext_lazy("rule builder", "in the last … days"),
    "betweenDates": pgettext_lazy("rule builder", "between two dates"),
    "followed": pgettext_lazy("rule builder", "Followed or not"),
    "followedBy": pgettext_lazy("rule builder", "followed by"),
    "notFollowedBy": pgettext_lazy("rule builder", "not followed by"),
    "thenEvent": pgettext_lazy("rule builder", "Following event"),
    "within": pgettext_lazy("rule builder", "within"),
    "where": pgettext_lazy("rule builder", "where"),
    "andAlso": pgettext_lazy("rule builder", "and"),
    "isProtected": pgettext_lazy("rule builder", "not for credit offers"),
    "addFilter": pgettext_lazy("rule builder", "Filter by property"),
    "customersMatch": pgettext_lazy("rule builder", "customers match"),
    "ofAll": pgettext_lazy("rule builder", "of all customers"),
    "counting": pgettext_lazy("rule builder", "Counting…"),
    "unfinished": pgettext_lazy(
        "rule builder", "Finish the highlighted condition to see the count."
    ),
    "failed": pgettext_lazy(
        "rule builder", "The count could not be made. Your rule is kept; try again."
    ),
    "retry": pgettext_lazy("rule builder", "Try again"),
    "inWords": pgettext_lazy("rule builder", "In words"),
    "sample": pgettext_lazy("rule builder", "Sample, masked"),
    "noSample": pgettext_lazy(
        "rule builder", "Nobody matches this rule yet. Loosen a condition to reach more people."
    ),
    "reachable": pgettext_lazy("rule builder", "Reachable on"),
    "waterfall": pgettext_lazy("rule builder", "How it narrows"),
    "emptyTitle": pgettext_lazy("rule builder", "Who should be in this segment?"),
    "emptyText": pgettext_lazy(
        "rule builder", "Add a condition, or start from an example. An empty rule means everybody."
    ),
    "examples": pgettext_lazy("rule builder", "Start from an example"),
    "seconds": pgettext_lazy("rule builder", "s"),
    "missingHint": pgettext_lazy(
        "rule builder",
        "A customer without a value does not match a condition; “Not” turns that round.",
    ),
    "problems": pgettext_lazy("rule builder", "Please check"),
    "stop": pgettext_lazy("rule builder", "Stop counting"),
    "stopped": pgettext_lazy("rule builder", "Stopped. Your rule is kept."),
    "patternExample": pgettext_lazy("rule builder", "e.g. ^A[0-9]{4}$"),
    "patternHint": pgettext_lazy(
        "rule builder",
        "Found anywhere in the text; ^ and $ tie it to the beginning and the end."
        " Use . [] () | * + ? {} \\d \\w \\s",
    ),
}


def builder_texts() -> dict[str, str]:
    """Return the texts in the language of the reader."""
    return {name: str(text) for name, text in _TEXTS.items()}
