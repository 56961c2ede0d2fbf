"""Reads the LOANCRM_* environment once and collects everything that is wrong with it."""

import base64
import binascii
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
KEY_BYTES = 32


@dataclass
class Environment:
    """The process environment, with the list of problems found while reading it."""

    variables: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    problems: list[str] = field(default_factory=list)

    def text(self, name: str, default: str) -> str:
        """Return a variable, or the default where it is unset or empty."""
        return self.variables.get(name) or default

    def parsed(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        """Return a parsed variable; a value that does not parse is noted, not raised."""
        raw = self.variables.get(name)
        if not raw:
            return default
        try:
            return parse(raw)
        except (ValueError, KeyError):
            self.problems.append(f"{name}: expected {expected}")
            return default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a yes/no variable."""
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        return self.parsed(name, default, lambda raw: words[raw.lower()], "true or false")

    def database(self, default_path: Path) -> dict[str, Any]:
        """Return Django's settings of the database that DATABASE_URL names, SQLite without one."""
        url = self.variables.get("DATABASE_URL")
        if not url:
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default_path)}
        if not url.startswith(("postgres://", "postgresql://", "sqlite://")):
            self.problems.append("DATABASE_URL: expected postgres://… or sqlite://…")
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default_path)}
        return dict(environ.Env.db_url_config(url))

    def require(self, name: str, purpose: str) -> str:
        """Return a variable that must be set; note its absence."""
        value = self.variables.get(name, "")
        if not value:
            self.problems.append(f"{name}: not set ({purpose})")
        return value

    def refuse_if_wrong(self) -> None:
        """Stop the start with the complete list of problems.

        Raises:
            ImproperlyConfigured: At least one variable is missing or malformed.
        """
        if self.problems:
            listed = "\n".join(f"  - {problem}" for problem in dict.fromkeys(self.problems))
            raise ImproperlyConfigured(f"The environment is not usable:\n{listed}")


def parse_keys(raw: str) -> dict[str, bytes]:
    """Return {key id: 32 bytes} from `kid:base64,kid:base64`; the first one is active.

    Raises:
        ValueError: An entry has no id, is not base64 or is not 32 bytes long.
    """
    keys: dict[str, bytes] = {}
    for entry in raw.split(","):
        kid, separator, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ValueError(kid) from error
        if not kid or not separator or len(key) != KEY_BYTES:
            raise ValueError(kid)
        keys[kid] = key
    return keys


def parse_count(raw: str) -> int:
    """Return a whole number from 0 on.

    Raises:
        ValueError: It is none, or below 0.
    """
    if not raw.isdecimal():
        raise ValueError(raw)
    return int(raw)


def parse_window(raw: str) -> tuple[int, int]:
    """Return (opening hour, closing hour) from `9-20`.

    Raises:
        ValueError: It is malformed, empty, or reaches beyond 08:00-21:00.
    """
    opens, closes = (int(part) for part in raw.split("-"))
    if not 8 <= opens < closes <= 21:
        raise ValueError(raw)
    return opens, closes


def development_secrets(path: Path) -> dict[str, str]:
    """Return the development secrets kept in a private file, written on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "LOANCRM_SECRET_KEY": secrets.token_urlsafe(50),
            "LOANCRM_KEYS": "dev1:" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode(),
        }
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.chmod(0o600)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    loaded: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
