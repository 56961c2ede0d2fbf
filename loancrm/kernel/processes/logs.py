"""Log lines as JSON, without personal data."""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# Digits of a phone or identity number, and addresses; ids of ours are shorter.
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+|(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)|(?<!\d)\d{17}[\dXx]"
)
HIDDEN = "***"


def scrub(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace phone numbers, identity numbers and e-mail addresses in every text of a line."""
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = _PERSONAL.sub(HIDDEN, value)
    return line


def formatter(*, as_json: bool) -> dict[str, Any]:
    """Return the formatter entry of Django's LOGGING for all loggers of the process."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            scrub,
            renderer,
        ],
    }
