"""Writes NOTICE from the metadata of what is shipped: `.venv/bin/python .ci/notice.py`."""

import json
import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = """loancrm
Licensed under the Apache License, Version 2.0; see LICENSE.

Fonts: none are shipped; pages use those of the reader's system.

Browser code in loancrm/static (texts of the licences: loancrm/static/loancrm/vendor)
"""
PYTHON = """
Python packages that the image installs (requirements.txt); each holds the text of its licence
"""


def browser_lines() -> list[str]:
    """Every package that the bundles are built from, the tools that build them left out."""
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text(encoding="utf-8"))
    return sorted(
        f"  {path.rpartition('node_modules/')[2]} {one['version']}: {one.get('license', 'unknown')}"
        for path, one in lock["packages"].items()
        if path and not one.get("dev") and not one.get("devOptional")
    )


def python_lines() -> list[str]:
    """Every pinned package; one for another system only has no metadata here to read."""
    lines = []
    for name in pinned():
        try:
            found = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            lines.append(f"  {name}: for other systems or versions of Python; see its own metadata")
            continue
        lines.append(f"  {name}: {licence_of(found)}")
    return lines


def pinned() -> list[str]:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return sorted(
        {n.lower() for n in re.findall(r"^([A-Za-z0-9._-]+)(?:\[\S+\])?==", text, re.MULTILINE)}
    )


def licence_of(found: metadata.PackageMetadata) -> str:
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in found.get_all("Classifier") or []
        if line.startswith("License ::") and line != "License :: OSI Approved"
    ]
    stated = (found.get("License") or "").strip().splitlines()
    words = found.get("License-Expression") or "; ".join(classifiers) or (stated or ["unknown"])[0]
    return words[:120]


def content() -> str:
    return "\n".join([HEAD.rstrip(), *browser_lines(), PYTHON.rstrip(), *python_lines(), ""])


if __name__ == "__main__":
    (ROOT / "NOTICE").write_text(content(), encoding="utf-8")
