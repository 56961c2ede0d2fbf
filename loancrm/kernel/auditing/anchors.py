"""Anchors: what a chain looked like at a time, kept outside the database that holds the chain.

Whoever can write the tables can rewrite a chain with all its hashes; nobody can rewrite what was
written down elsewhere. Each anchor is a line of a file in the data folder and a line of the log.

After a restore a chain lacks what was added since the backup, and no check of it could ever be
satisfied again. A person accepts that: the line that says so is an anchor too, and the check goes
on from there. Only the program writes such a line, so a change of the tables accepts nothing.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from loancrm.kernel.auditing import deployment

logger = logging.getLogger(__name__)


def read(name: str) -> list[Mapping[str, Any]]:
    """Return the anchors of this deployment's chain, oldest first.

    Those from before the last accepted restore are left out, and those of another database that
    was used with the same folder; a line cut by a crash is passed over.
    """
    own = str(deployment.current().public_id)
    found: list[Mapping[str, Any]] = []
    for anchor in _lines(name):
        # Anchors carried no deployment at first.
        if anchor.get("deployment", own) != own:
            continue
        if anchor.get("is_accepted"):
            found = []
        found.append(anchor)
    return found


def names() -> list[str]:
    """Return the chains that have anchors."""
    return sorted(path.stem for path in _folder().glob("*.jsonl"))


def write(name: str, anchor: Mapping[str, Any], *, logged: Mapping[str, Any]) -> None:
    """Add an anchor to the file, on the disk before this returns, and to the log.

    Args:
        logged: The part of it that fits into a line of the log.
    """
    row = deployment.current()
    whose = {"deployment": str(row.public_id), "epoch": row.epoch}
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps({**anchor, **whose}, sort_keys=True)}\n")
        file.flush()
        os.fsync(file.fileno())
    logger.info("anchor", extra={"chain": name, **whose, **logged})


def _lines(name: str) -> Iterator[Mapping[str, Any]]:
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


def _folder() -> Path:
    return Path(settings.LOANCRM_VAR_DIR) / "anchors"


def _path(name: str) -> Path:
    return _folder() / f"{name}.jsonl"
