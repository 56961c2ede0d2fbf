"""Storing the texts of a variant: a text that changed becomes a new version."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.translation import gettext as _

from campaigns.domain.content import email_html
from campaigns.domain.content.written import TextSpec
from campaigns.models import ContentVersion, Variant
from campaigns.selectors.content import faults
from campaigns.selectors.content.faults import TextFinding
from loancrm.kernel.errors import LoanCrmError


class TextUnreadable(LoanCrmError):
    """Nothing could ever be made of a text; `finding` says which and why."""

    code = "text_unreadable"

    def __init__(self, finding: TextFinding) -> None:
        """Say where and why, as the author would."""
        self.finding = finding
        super().__init__(
            _("The text cannot be saved: %(where)s · %(fault)s")
            % {"where": finding.where, "fault": finding.what},
            problems=((finding.where, finding.what),),
        )


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and when.

    Attributes:
        rewrites_since: Own texts written since then are written over; nobody has used them.
    """

    author: User | None
    now: datetime
    rewrites_since: datetime | None = None


def write_texts(
    *,
    variant: Variant,
    texts: Sequence[TextSpec],
    writer: Writer,
    message: int = 1,
    is_fallback: bool = False,
) -> list[str]:
    """Make a variant's texts what is described; a language that is no longer named has none.

    Args:
        variant: With its touchpoint and channel.
        message: Number of the message, from 1, to say where a text stands.
        is_fallback: Whether it is a fallback's text.

    Returns:
        Which languages changed, for the audit trail.

    Raises:
        TextUnreadable: Nothing could ever be made of a text.
    """
    there = {row.locale: row for row in variant.contents.filter(is_current=True)}
    changed: list[str] = []
    for text in texts:
        before = there.pop(text.locale, None)
        if before is None or not _is_same(before, text):
            _require_readable(variant, text, message, is_fallback=is_fallback)
            html = email_html.prepare(text.html) if text.html else ""
            # Cleaning takes out what is active, and may take one end of a condition with it.
            cleaned = replace(text, html=html)
            _require_readable(variant, cleaned, message, is_fallback=is_fallback)
            _write_text(variant, cleaned, writer)
            changed.append(text.locale)
    # Kept as history; nobody gets a text that its author has taken out.
    variant.contents.filter(is_current=True, locale__in=there).update(is_current=False)
    return [*changed, *(f"{locale} removed" for locale in there)]


def _is_same(before: ContentVersion, text: TextSpec) -> bool:
    # What is stored was cleaned when it was written.
    return (before.subject, before.text) == (text.subject, text.text) and before.html in {
        text.html,
        email_html.prepare(text.html) if text.html else "",
    }


def _write_text(variant: Variant, text: TextSpec, writer: Writer) -> None:
    """Store a text as the newest version in its language and make it the current one."""
    versions = ContentVersion.objects.filter(variant=variant, locale=text.locale)
    joined = f"{text.locale}\x00{text.subject}\x00{text.text}\x00{text.html}"
    written: dict[str, Any] = {
        "subject": text.subject,
        "text": text.text,
        "html": text.html,
        "digest": hashlib.sha256(joined.encode()).hexdigest(),
        "created_at": writer.now,
    }
    if writer.rewrites_since is not None and writer.author is not None:
        own = versions.filter(is_current=True, author=writer.author)
        if own.filter(created_at__gte=writer.rewrites_since).update(**written):
            return
    last = versions.aggregate(last=Max("number"))["last"] or 0
    versions.filter(is_current=True).update(is_current=False)
    ContentVersion.objects.create(
        variant=variant,
        locale=text.locale,
        number=last + 1,
        author=writer.author,
        **written,
    )


def _require_readable(variant: Variant, text: TextSpec, message: int, *, is_fallback: bool) -> None:
    """Refuse a text that nothing could be made of, before it is stored."""
    channel = variant.touchpoint.channel
    finding = faults.unreadable(
        text,
        kind=channel.kind if channel else "",
        variant=variant.key,
        message=message,
        is_fallback=is_fallback,
    )
    if finding is not None:
        raise TextUnreadable(finding)
