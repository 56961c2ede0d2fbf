"""What is wrong with a JSON body, in the reader's language; the decoder's own words are English."""

import re
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_PATH: Final = re.compile(r" - at (?:`(?P<path>\$[^`]*)`|(?P<key>the key))?")
# The decoder's words -> ours. What stands in back quotes there is a name of JSON's or of a field.
_FAULTS: Final = (
    (
        re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<found>[^`]+)`"),
        gettext_lazy("%(wanted)s is expected, not %(found)s"),
    ),
    (
        re.compile(r"Object missing required field `(?P<name>[^`]+)`"),
        gettext_lazy("the field %(name)s is missing"),
    ),
    (
        re.compile(r"Object contains unknown field `(?P<name>[^`]+)`"),
        gettext_lazy("the field %(name)s is not known"),
    ),
    (re.compile(r"Number out of range"), gettext_lazy("a number is out of range")),
    (re.compile(r"Input data was truncated"), gettext_lazy("it ends too early")),
    (
        re.compile(r"JSON is malformed: .*\(byte (?P<byte>\d+)\)"),
        gettext_lazy("it is not JSON from byte %(byte)s on"),
    ),
)


def in_words(fault: str) -> str:
    """Return a complaint of the decoder in words: what is wrong, and at which path.

    Args:
        fault: As `msgspec` says it; names paths and types, never a value.
    """
    words = _("it has another shape than the document says")
    for pattern, ours in _FAULTS:
        if found := pattern.search(fault):
            words = ours % found.groupdict()
            break
    place = _PATH.search(fault)
    if place is not None and place["path"]:
        return _("%(fault)s (at %(path)s)") % {"fault": words, "path": place["path"]}
    return str(words)
