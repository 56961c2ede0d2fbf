"""What is kept about a deployment outside its database: how far it had come.

In a file under LOANCRM_VAR_DIR and, where there is one, in Redis. Either may be lost alone: an
emptied Redis is filled again from the file, a new host's file from Redis.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID, uuid4

import redis
from django.conf import settings

_REDIS_SECONDS = 2.0


@dataclass(frozen=True, slots=True, order=True)
class Anchor:
    """The last beat that was seen, and in which epoch."""

    beat: int
    epoch: int


class AnchorUnreachable(Exception):
    """There is no file here, and Redis, which may know, does not answer."""


def read(public_id: UUID) -> Anchor | None:
    """Return the newest anchor that any place knows.

    Raises:
        AnchorUnreachable: Nothing can be said now.
    """
    path = _path(public_id)
    kept = _parse(path.read_bytes()) if path.exists() else None
    try:
        shared = _from_redis(public_id)
    except redis.RedisError as error:
        if kept is None:
            raise AnchorUnreachable from error
        return kept
    if kept is None and shared is not None:
        _write_file(public_id, shared)
    known = [anchor for anchor in (kept, shared) if anchor is not None]
    return max(known) if known else None


def write(public_id: UUID, anchor: Anchor) -> None:
    """Keep an anchor; Redis being away is no reason to stop, the file is there."""
    _write_file(public_id, anchor)
    client = _client(settings.REDIS_URL)
    if client is None:
        return
    try:
        client.set(_key(public_id), _written(anchor))
    except redis.RedisError:
        return


def _from_redis(public_id: UUID) -> Anchor | None:
    client = _client(settings.REDIS_URL)
    found = client.get(_key(public_id)) if client is not None else None
    return _parse(found) if isinstance(found, bytes) else None


@lru_cache(maxsize=2)
def _client(url: str) -> "redis.Redis | None":
    if not url:
        return None
    return redis.Redis.from_url(
        url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
    )


def _key(public_id: UUID) -> str:
    return f"{settings.LOANCRM_BROKER_PREFIX}loancrm:deployment:{public_id}"


def _path(public_id: UUID) -> Path:
    return Path(settings.LOANCRM_ANCHOR_DIR) / f"{public_id}.json"


def _written(anchor: Anchor) -> bytes:
    return json.dumps({"beat": anchor.beat, "epoch": anchor.epoch}).encode()


def _parse(content: bytes) -> Anchor | None:
    try:
        known = json.loads(content)
        return Anchor(beat=int(known["beat"]), epoch=int(known["epoch"]))
    except (ValueError, KeyError, TypeError):
        # A half-written or foreign file says nothing; without another place, a person is asked.
        return None


def _write_file(public_id: UUID, anchor: Anchor) -> None:
    path = _path(public_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Containers share the folder, and each has a process of the same number.
    beside = path.with_suffix(f".{uuid4().hex}")
    beside.write_bytes(_written(anchor))
    beside.replace(path)
