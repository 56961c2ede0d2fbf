"""System checks: keys are configured, and everything that loancrm stands on is there and fits."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.translation import gettext as _

from loancrm.kernel.running import readiness


@checks.register(checks.Tags.security)
def keys_are_configured(**_options: Any) -> list[checks.CheckMessage]:
    """Report missing encryption keys."""
    if _has_keys():
        return []
    words = _("No encryption key: set LOANCRM_KEYS and LOANCRM_INDEX_KEY.")
    return [checks.Error(words, id="kernel.E001")]


@checks.register(checks.Tags.database)
def keys_open_the_data(
    *, databases: Sequence[str] | None = None, **_options: Any
) -> list[checks.CheckMessage]:
    """Report wrong keys, where a command asks for the database; `migrate` does before it begins."""
    if not databases or not _has_keys():
        return []
    return _errors(readiness.connection_findings(may_be_missing=True) or readiness.key_findings())


@checks.register(checks.Tags.security, deploy=True)
def surroundings_are_usable(**_options: Any) -> list[checks.CheckMessage]:
    """Report what is wrong with database, broker and static files: `check --deploy` is enough."""
    return _errors(readiness.findings(needs_static=True)) if _has_keys() else []


def _has_keys() -> bool:
    return bool(settings.LOANCRM_KEYS and settings.LOANCRM_INDEX_KEY)


def _errors(found: list[readiness.ReadinessFinding]) -> list[checks.CheckMessage]:
    return [checks.Error(finding.text, id=f"kernel.{finding.code}") for finding in found]
