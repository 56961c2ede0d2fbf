"""Lists narrowed by posted words: the list's address carries a random key, never the words.

Addresses end up in logs, histories and bookmarks. What a lookup found, or is about, stands in the
session under the key, so that paging works and the address says nothing to anybody else.
"""

import secrets
from typing import Any

from django.http import HttpRequest
from unfold.views import ChangeList

FIND = "find"
_KEPT = 10


class LookupChangeList(ChangeList):  # type: ignore[misc] # the theme ships no types
    """A list whose address may carry the key of a lookup, which is no filter of a column."""

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the filters without the key."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(FIND, None)
        return found


def store_lookup(request: HttpRequest, name: str, value: list[Any]) -> str:
    """Keep a value in the session beside the last few of its name; return its key."""
    key = secrets.token_urlsafe(9)
    held = list(request.session.get(name, {}).items())[-(_KEPT - 1) :]
    request.session[name] = {**dict(held), key: value}
    return key


def held(request: HttpRequest, name: str) -> list[Any] | None:
    """Return the value that the list's address names; None where it is not kept."""
    value: list[Any] | None = request.session.get(name, {}).get(request.GET.get(FIND))
    return value
