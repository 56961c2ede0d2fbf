"""What a simulated provider writes down, and what can be proven from it.

One JSON line for each message that came, written before its answer leaves, by one system call for
those that came together, so that it is there whoever is killed next. No addresses: people appear as
digests.
"""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from campaigns.simulators.moods import Turn


def person(address: str) -> str:
    """Return the digest that stands for a person in the logs."""
    return hashlib.blake2b(address.strip().lower().encode(), digest_size=8).hexdigest()


class EvidenceEntry(msgspec.Struct, frozen=True, rename={"is_taken": "taken", "is_final": "final"}):
    """What a provider did with one message at one time.

    Attributes:
        connection: The caller's port.
        key: Identity of the message (idempotency key, or the left part of Message-ID); empty where
            the message was refused before it was seen.
        person: Digest of the address.
        turn: What the message met.
        is_taken: The person gets it, once for each entry that says so.
        answer: What the caller was told; empty where it was told nothing.
        is_final: The provider refused the address for good.
    """

    connection: int
    key: str
    person: str
    turn: Turn
    is_taken: bool
    answer: str
    is_final: bool = False
    at: float = msgspec.field(default_factory=time.time)

    @property
    def is_answered(self) -> bool:
        """Return whether the caller got an answer that says what became of the message."""
        return bool(self.answer)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(EvidenceEntry)


class Log:
    """An append-only file of entries."""

    def __init__(self, path: Path) -> None:
        """Open the file; it is made where it is missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, entries: Iterable[EvidenceEntry]) -> None:
        """Add entries; they survive the end of this process from here on."""
        lines = b"".join([_encoder.encode(entry) + b"\n" for entry in entries])
        if lines:
            os.write(self._descriptor, lines)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read(path: Path, *, offset: int = 0) -> Iterator[EvidenceEntry]:
    """Yield the entries of a log from a byte on; a line that is being written is left out."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield _decoder.decode(line)


def size(path: Path) -> int:
    """Return the length of a log, an offset for what comes after."""
    return path.stat().st_size if path.exists() else 0


@dataclass(frozen=True, slots=True)
class Copies:
    """How often people got the messages of one campaign.

    Attributes:
        by_person: Digest of a person and how many copies of the campaign's message she got.
        by_key: Identity of a message and how many copies of it were taken.
        refused: Digests of people whom the provider refused for good.
    """

    by_person: Counter[str]
    by_key: Counter[str]
    refused: frozenset[str]

    @property
    def duplicates(self) -> int:
        """Return how many copies were too many: a second one to a person, or of a message."""
        return max(_surplus(self.by_person), _surplus(self.by_key))

    def missing(self, people: Iterable[str]) -> list[str]:
        """Return those of the people who got nothing."""
        return [digest for digest in people if not self.by_person[digest]]


def count(entries: Iterable[EvidenceEntry]) -> Copies:
    """Count copies by person and by message."""
    by_person: Counter[str] = Counter()
    by_key: Counter[str] = Counter()
    refused = set()
    for entry in entries:
        if entry.is_taken:
            by_person[entry.person] += 1
            by_key[entry.key] += 1
        elif entry.is_final:
            refused.add(entry.person)
    return Copies(by_person, by_key, frozenset(refused))


def _surplus(copies: Counter[str]) -> int:
    return sum(number - 1 for number in copies.values())
