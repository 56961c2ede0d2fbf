"""Rates: so many requests a minute for a partner, for an address, for refused credentials.

Fixed windows of one minute, counted in the cache: exact on Redis, close on a file cache that
several processes share. A refusal always says when to come back.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from loancrm.kernel import clock

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


def address_of(request: Request) -> str:
    """Return the client's address; forwarded addresses count only behind declared proxies."""
    return BaseThrottle().get_ident(request)


def refuse_token_guessing(request: Request) -> None:
    """Raise Throttled when too many bearer tokens from this address were refused this minute."""
    count = peek(f"refused-token:{address_of(request)}")
    if count.hits >= settings.LOANCRM_API_LIMITS["refused_tokens_per_address"]:
        raise Throttled(wait=count.seconds_left)


def count_refused_token(request: Request) -> None:
    """Note that a bearer token from this address was refused."""
    hit(f"refused-token:{address_of(request)}")


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


class TokenThrottle(BaseThrottle):
    """Token requests a minute from one address, right and wrong secrets alike."""

    def __init__(self) -> None:
        """Start with nothing to wait for."""
        self._seconds_left = 0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Return whether this address may ask for a token now."""
        count = hit(f"token:{address_of(request)}")
        self._seconds_left = count.seconds_left
        return bool(count.hits <= settings.LOANCRM_API_LIMITS["token_requests_per_address"])

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return self._seconds_left
