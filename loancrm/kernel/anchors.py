"""Anchors: what a chain looked like at a time, kept outside the database that holds the chain.

Whoever can write the tables can rewrite a chain with all its hashes; nobody can rewrite what was
written down elsewhere. Each anchor is a line of a file in the data folder and a line of the log.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)


def read(name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the anchors of a chain, oldest first; a line cut by a crash is passed over."""
    path = _path(name)
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                anchor = json.loads(line)
            except ValueError:
                continue
            if isinstance(anchor, dict):
                yield anchor


def write(name: str, anchor: Mapping[str, Any], *, logged: Mapping[str, Any]) -> None:
    """Add an anchor to the file, on the disk before this returns, and to the log.

    Args:
        logged: The part of it that fits into a line of the log.
    """
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(anchor, sort_keys=True)}\n")
        file.flush()
        os.fsync(file.fileno())
    logger.info("anchor", extra={"chain": name, **logged})


def _path(name: str) -> Path:
    return Path(settings.LOANCRM_VAR_DIR) / "anchors" / f"{name}.jsonl"
