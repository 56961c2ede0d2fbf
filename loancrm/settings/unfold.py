"""The look of the admin."""

from typing import Any

UNFOLD: dict[str, Any] = {"SITE_TITLE": "loancrm"}
