"""Rates: so many requests a minute for a proven identity, for refused credentials of an address.

Whoever proves who they are is counted under that name alone: what strangers send from the same
address, or through the same proxy, takes nothing from them. Only refused credentials are counted by
address.

Fixed windows of one minute, counted in the cache: exact on Redis, close on a file cache that
several processes share. A refusal always says when to come back.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from loancrm.kernel import clock
from loancrm.kernel.security.client_address import client_address

if TYPE_CHECKING:
    # DRF's views read the settings that name this module, so it cannot import them.
    from rest_framework.views import APIView

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened in the current window, and when the window ends."""

    hits: int
    seconds_left: int


def hit(subject: str, *, weight: int = 1) -> Count:
    """Count one occurrence of a subject in the current minute."""
    key, seconds_left = _window(subject)
    cache.add(key, 0, timeout=WINDOW_SECONDS * 2)
    try:
        hits = cache.incr(key, weight)
    except ValueError:
        # The entry left the cache between the two calls.
        cache.set(key, weight, timeout=WINDOW_SECONDS * 2)
        hits = weight
    return Count(hits=hits, seconds_left=seconds_left)


def peek(subject: str) -> Count:
    """Return the count of the current minute without adding to it."""
    key, seconds_left = _window(subject)
    return Count(hits=cache.get(key, 0), seconds_left=seconds_left)


def _window(subject: str) -> tuple[str, int]:
    now_seconds = int(clock.now().timestamp())
    window, elapsed = divmod(now_seconds, WINDOW_SECONDS)
    return f"rate:{subject}:{window}", WINDOW_SECONDS - elapsed


def refuse_guessing(request: HttpRequest, what: str, limit: str) -> None:
    """Count refused credentials of an address; beyond the limit say when to come back.

    Call it where credentials turned out wrong, never before: right ones are never kept waiting.

    Raises:
        Throttled: Too many credentials from this address were refused this minute.
    """
    count = hit(f"{what}:{client_address(request)}")
    if count.hits > settings.LOANCRM_API_LIMITS[limit]:
        raise Throttled(wait=count.seconds_left)


class PartnerThrottle(BaseThrottle):
    """Requests a minute of one service user, all its tokens and end points together."""

    def __init__(self) -> None:
        """Start with nothing to wait for."""
        self._seconds_left = 0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Return whether the partner may make this request now."""
        user = request.user
        if not user.is_authenticated:
            return True
        limit_of = getattr(view, "requests_per_minute", None)
        limit = limit_of(request) if limit_of else settings.LOANCRM_API_LIMITS["partner"]
        count = hit(f"partner:{user.pk}")
        self._seconds_left = count.seconds_left
        return bool(count.hits <= limit)

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return self._seconds_left


def refuse_many_tokens(client_key: int) -> None:
    """Count a token that a client got after it had proved itself.

    Raises:
        Throttled: The client fetched too many this minute.
    """
    count = hit(f"tokens-of:{client_key}")
    if count.hits > settings.LOANCRM_API_LIMITS["tokens_per_client"]:
        raise Throttled(wait=count.seconds_left)
