"""User agents that say of themselves that no person reads.

The patterns are those of crawler-user-agents 1.67.0 (https://github.com/monperrus/crawler-user-agents,
MIT), one a line; what follows here are programs that check mail and messages, and libraries.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

_LIST: Final = Path(__file__).parent / "data" / "crawler-user-agents.txt"
_CHECKERS: Final = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|prefetch|scan|monitor|proxy|facebookexternalhit|whatsapp|"
    r"curl|wget|python-|aiohttp|httpx|okhttp|java/|go-http|libwww|headless|phantom|barracuda|mimecast|"
    r"proofpoint|safelinks|symantec|fortinet|trendmicro|urlcheck|validator",
    re.IGNORECASE,
)


@lru_cache(maxsize=1)
def _listed() -> re.Pattern[str]:
    return re.compile("|".join(_LIST.read_text(encoding="utf-8").split("\n")[:-1]))


@lru_cache(maxsize=4096)
def is_crawler(agent: str) -> bool:
    """Return whether a user agent is a program's."""
    return bool(_CHECKERS.search(agent) or _listed().search(agent))
