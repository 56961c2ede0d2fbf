"""The demo's campaigns as JSON files, in the form that `manage.py create_campaign` takes."""

import json
from pathlib import Path
from typing import Any


def read(slug: str) -> dict[str, Any]:
    """Return the description of one campaign."""
    path = Path(__file__).parent / f"{slug}.json"
    description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return description
