"""Moods of a simulated provider: how it treats whoever calls, for as long as the mood lasts.

`Behaviour` chooses by address and repeats; a mood strikes at random (from a seed), as real faults
do, and can be switched while the provider runs.
"""

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec


class Pieces(StrEnum):
    """In how many pieces an answer leaves; each piece is a packet of its own."""

    WHOLE = "whole"
    BYTES = "bytes"
    RANDOM = "random"


class Turn(StrEnum):
    """What one request (SMS) or one message (SMTP) meets.

    `THROTTLE`, `UNAVAILABLE`, `ERROR`, `ERROR_INSIDE`, `BLOCK`, `GREYLIST`, `BUSY_IN_PART` and
    `DROP_BEFORE` take nothing of what they refuse; the others have taken the message when they go
    wrong. `PART` takes and answers the first half of a request and says nothing of the rest.

    `BUSY_REJECTED` takes every other message and says of the rest that the account is too busy, in
    the words of a refusal. `ODD`, `CONTRADICTION`, `PACKED` and `UNAVAILABLE_AFTER` have taken all:
    the fields of the answer are of odd types, it says two things of each message, it is compressed
    unasked, or a proxy in between answers 503. To e-mail these five are an ordinary answer.
    """

    ANSWER = "answer"
    THROTTLE = "throttle"
    UNAVAILABLE = "unavailable"
    ERROR = "error"
    ERROR_INSIDE = "error_inside"
    BLOCK = "block"
    GREYLIST = "greylist"
    BUSY_IN_PART = "busy_in_part"
    PART = "part"
    ERROR_AFTER = "error_after"
    CUT = "cut"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    SILENT = "silent"
    BUSY_REJECTED = "busy_rejected"
    ODD = "odd"
    CONTRADICTION = "contradiction"
    PACKED = "packed"
    UNAVAILABLE_AFTER = "unavailable_after"


@dataclass(frozen=True, slots=True)
class Mood:
    """How a provider treats its callers.

    Attributes:
        shares: How many of the requests or messages meet which turn; the rest is answered.
        pieces: How answers are split.
        piece_pause_seconds: Between two pieces of an answer.
        dawdle_seconds: Every answer leaves so long after the message was taken.
        silence_seconds: How long a silent turn says nothing before it hangs up.
        messages_per_second: No more messages than these are answered in a second; 0 for any number.
        refused_connections: Share of the connections that are turned away at once.
        retry_after_seconds: What a throttled caller is told; 0 tells nothing.
        remembers_keys: Whether a repeated idempotency key is answered without sending again.
        report_delay_seconds: How long after the message its report leaves.
        report_times: How often the same report is sent.
    """

    shares: Mapping[Turn, float] = field(default_factory=dict)
    pieces: Pieces = Pieces.WHOLE
    piece_pause_seconds: float = 0.0
    dawdle_seconds: float = 0.0
    silence_seconds: float = 60.0
    messages_per_second: float = 0.0
    refused_connections: float = 0.0
    retry_after_seconds: float = 1.0
    remembers_keys: bool = True
    report_delay_seconds: float = 0.0
    report_times: int = 1

    def __post_init__(self) -> None:
        """Refuse values that could never work."""
        shares = [*self.shares.values(), self.refused_connections]
        if not all(0 <= share <= 1 for share in shares) or sum(self.shares.values()) > 1.000001:
            raise ValueError("shares must be between 0 and 1 and add up to 1 at most")
        times = (
            self.piece_pause_seconds, self.dawdle_seconds, self.silence_seconds,
            self.messages_per_second, self.retry_after_seconds, self.report_delay_seconds,
        )  # fmt: skip
        if min(times) < 0 or not 0 <= self.report_times <= 10:
            raise ValueError("times must not be negative, a report is sent 0 to 10 times")

    @property
    def is_calm(self) -> bool:
        """Return whether answers leave whole and at once."""
        return self.pieces is Pieces.WHOLE and not self.dawdle_seconds


CALM = Mood()
_LATE_REPORT_SECONDS = 5.0
PRESETS: Mapping[str, Mood] = {
    "calm": CALM,
    "bytes": Mood(pieces=Pieces.BYTES),
    "pieces": Mood(pieces=Pieces.RANDOM, piece_pause_seconds=0.002),
    "dawdling": Mood(dawdle_seconds=0.5),
    "throttling": Mood(shares={Turn.THROTTLE: 0.5}),
    "unavailable": Mood(shares={Turn.UNAVAILABLE: 1.0}),
    "failing": Mood(shares={Turn.ERROR: 0.3, Turn.ERROR_INSIDE: 0.2}),
    "failing_after": Mood(shares={Turn.ERROR_AFTER: 0.2, Turn.UNAVAILABLE_AFTER: 0.1}),
    "blocking": Mood(shares={Turn.BLOCK: 1.0}),
    "greylisting": Mood(shares={Turn.GREYLIST: 0.3}),
    "partial": Mood(shares={Turn.PART: 0.5, Turn.BUSY_IN_PART: 0.2, Turn.BUSY_REJECTED: 0.1}),
    "odd": Mood(shares={Turn.ODD: 0.4, Turn.CONTRADICTION: 0.3, Turn.PACKED: 0.3}),
    "cutting": Mood(shares={Turn.CUT: 0.3}),
    "dropping": Mood(shares={Turn.DROP_BEFORE: 0.05, Turn.DROP_AFTER: 0.1}),
    "silent": Mood(shares={Turn.SILENT: 1.0}),
    "turning_away": Mood(refused_connections=0.5),
    "early_reports": Mood(dawdle_seconds=1.0),
    "late_reports": Mood(report_delay_seconds=_LATE_REPORT_SECONDS),
    "double_reports": Mood(report_times=2),
    "forgetful": Mood(remembers_keys=False),
}


def parse(source: str) -> Mood:
    """Return the mood that a preset's name or a JSON object describes.

    Raises:
        ValueError: Neither of both, with the names of the presets.
    """
    if source in PRESETS:
        return PRESETS[source]
    try:
        return from_json(json.loads(source))
    except json.JSONDecodeError as err:
        known = ", ".join(PRESETS)
        raise ValueError(f"a mood is a JSON object or one of: {known}") from err


def from_json(content: Any) -> Mood:
    """Return the mood that decoded JSON describes.

    Raises:
        ValueError: An unknown attribute or a value of the wrong type.
    """
    known = set(Mood.__dataclass_fields__)
    if not isinstance(content, dict) or not set(content) <= known:
        raise ValueError(f"a mood has no attributes but: {', '.join(sorted(known))}")
    try:
        return msgspec.convert(content, type=Mood)
    except msgspec.ValidationError as err:
        raise ValueError(str(err)) from err


class MoodBox:
    """The mood that a provider is in, with the chances and slots that come from it.

    Args:
        seed: Two providers with one seed that are asked alike do alike.
    """

    def __init__(self, mood: Mood = CALM, *, seed: int = 0) -> None:
        """Start in a mood."""
        self.mood = mood
        self._rng = random.Random(seed)  # noqa: S311 - simulated chance
        self._next_slot = 0.0

    def turn(self) -> Turn:
        """Return what the next request or message meets."""
        shares = self.mood.shares
        if not shares:
            return Turn.ANSWER
        point = self._rng.random()
        for turn, share in shares.items():
            point -= share
            if point < 0:
                return turn
        return Turn.ANSWER

    def refuses_connection(self) -> bool:
        """Return whether the next connection is turned away."""
        share = self.mood.refused_connections
        return bool(share) and self._rng.random() < share

    def wait_seconds(self, count: int = 1) -> float:
        """Return how long the answer to `count` messages has to wait for its slot."""
        mood = self.mood
        wait = mood.dawdle_seconds
        if mood.messages_per_second:
            now = time.monotonic()
            # A mood that was slower before must not hold up one that is faster now.
            longest = now + 1.0 + count / mood.messages_per_second
            starts = min(max(self._next_slot, now), longest)
            self._next_slot = starts + count / mood.messages_per_second
            wait += self._next_slot - now
        return wait

    def split(self, data: bytes) -> Iterator[bytes]:
        """Yield an answer in its pieces."""
        match self.mood.pieces:
            case Pieces.WHOLE:
                yield data
            case Pieces.BYTES:
                for number in range(len(data)):
                    yield data[number : number + 1]
            case Pieces.RANDOM:
                start = 0
                while start < len(data):
                    end = start + self._rng.randint(1, max(1, len(data) // 3))
                    yield data[start:end]
                    start = end
