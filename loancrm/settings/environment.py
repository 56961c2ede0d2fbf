"""Reads the LOANCRM_* environment once and collects everything that is wrong with it."""

import base64
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

from loancrm.settings import parsing

T = TypeVar("T")


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

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number between two bounds, both allowed."""

        def parse(raw: str) -> int:
            number = int(raw)
            if not least <= number <= most:
                raise ValueError(raw)
            return number

        return self.parsed(name, default, parse, f"a whole number from {least} to {most}")

    def folder(self, name: str, default: Path) -> Path:
        """Return a folder that can be written to, made where it is missing."""
        path = Path(self.text(name, str(default)))
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.problems.append(f"{name}: cannot be made ({error.strerror})")
            return path
        if not os.access(path, os.W_OK | os.X_OK):
            self.problems.append(f"{name}: cannot be written to")
        return path

    def make_private(self, path: Path) -> None:
        """Make a folder for this user alone below the data folder, unless that is unusable."""
        if any(problem.startswith("LOANCRM_VAR_DIR") for problem in self.problems):
            return
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            self.problems.append(f"LOANCRM_VAR_DIR: {path.name}/ cannot be made ({error.strerror})")

    def database(self, default_path: Path) -> dict[str, Any]:
        """Return Django's settings of the database that DATABASE_URL names, SQLite without one."""
        expected = "postgres://user:password@host:5432/name or sqlite:////path"
        url = self.parsed("DATABASE_URL", "", parsing.database_url, expected)
        if not url:
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
            # In the order of their names, so that the same mistakes give the same list.
            listed = "\n".join(f"  - {problem}" for problem in sorted(set(self.problems)))
            raise ImproperlyConfigured(f"The environment is not usable:\n{listed}")


def development_secrets(path: Path) -> dict[str, str]:
    """Return the development secrets kept in a private file, written on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sealing = base64.b64encode(secrets.token_bytes(parsing.KEY_BYTES)).decode()
        content = {
            "LOANCRM_SECRET_KEY": secrets.token_urlsafe(50),
            "LOANCRM_KEYS": f"dev1:{sealing}",
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
