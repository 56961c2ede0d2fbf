"""Filing signatures and templates, and noting what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns.domain.filing import filed_texts
from campaigns.domain.filing.filing import (
    FILING_MOVES,
    NEEDS_REASON,
    FilingKind,
    FilingStatus,
)
from campaigns.labels.filing import FILING_STATUSES
from campaigns.models import Channel, Filing
from campaigns.selectors.filing import near_ends, standing
from loancrm.kernel.access import Actor, ActorKind
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.texts.survey import TemplateRefused

CHANGES = "campaigns.change_filing"
# What was handed in is what the provider approves: it is changed as a draft only.
_FROZEN = ("kind", "name", "text", "variables")
_LANGUAGE = "zh-hans"


class ProviderFilingRefused(LoanCrmError):
    """What was filed, or its next state, cannot be; `facts` name the field."""

    code = "provider_filing_refused"


@dataclass(frozen=True, slots=True)
class FiledValues:
    """What people write about a filing.

    Attributes:
        name: A signature without its brackets, or what a template is called here.
        variables: What each of the provider's variables holds, as texts say it.
        expires_on: The last day of the approval.
    """

    name: str
    kind: FilingKind = FilingKind.SIGNATURE
    text: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    provider_code: str = ""
    evidence: str = ""
    expires_on: date | None = None


def save_filing(
    *,
    channel: Channel,
    values: FiledValues,
    actor: Actor,
    now: datetime,
    filing: Filing | None = None,
) -> Filing:
    """Add a filing as a draft, or change one.

    Raises:
        ProviderFilingRefused: A value is none that can be filed, or may not be changed any more.
        PermissionRefused: The actor may not change filings.
    """
    with acting(actor, CHANGES, now=now) as act:
        row = Filing(channel=channel)
        if filing is not None:
            row = Filing.objects.select_for_update().get(pk=filing.pk)
        _take_over(row, values)
        _refuse_invalid(row)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as error:
            raise ProviderFilingRefused(
                _("This is filed with the channel already."), field="name"
            ) from error
        deed = "filing.added" if filing is None else "filing.changed"
        act.record(deed, on=row, facts={"channel": row.channel_id, "kind": row.kind})
    return row


def move_filing(
    *, filing: Filing, to: FilingStatus, actor: Actor, now: datetime, reason: str = ""
) -> Filing:
    """Note what became of a filing with its provider.

    Args:
        filing: Which.
        to: Where it stands now.
        actor: Who says so.
        now: When.
        reason: Why it was refused or cleared; a person has to say so.

    Raises:
        ProviderFilingRefused: It cannot get there from where it is, or the reason is missing.
        PermissionRefused: The actor may not change filings.
    """
    with acting(actor, CHANGES, now=now) as act:
        row = Filing.objects.select_for_update().get(pk=filing.pk)
        if to not in FILING_MOVES[FilingStatus(row.status)]:
            raise ProviderFilingRefused(
                _("From “%(source)s” a filing does not become “%(target)s”.")
                % {
                    "source": FILING_STATUSES.label(row.status),
                    "target": FILING_STATUSES.label(to),
                },
                field="to",
            )
        if to in NEEDS_REASON and actor.kind is not ActorKind.SYSTEM and not reason.strip():
            raise ProviderFilingRefused(_("Say why."), field="reason")
        _refuse_unready(row, to, now)
        facts = {"from": row.status, "to": to.value}
        row.status = to
        row.refusal = reason.strip()[:300] if to in NEEDS_REASON else ""
        if to is FilingStatus.SUBMITTED:
            row.submitted_at, row.decided_at = now, None
        elif to is not FilingStatus.DRAFT:
            row.decided_at = now
        if to is FilingStatus.APPROVED:
            # An earlier life under the same name does not count as idle time of this one.
            row.last_used_at = None
        row.save()
        deed = "taken_back" if to is FilingStatus.DRAFT else to.value
        act.record(f"filing.{deed}", on=row, facts=facts, reason=reason.strip())
    return row


def end_lapsed(*, actor: Actor, now: datetime) -> int:
    """End approvals that have run out, and those of signatures that nobody has used for too long.

    Returns:
        How many were ended.
    """
    today = standing.today_of(now)
    rows = Filing.objects.filter(status=FilingStatus.APPROVED).select_related("channel")
    ended = 0
    for row in rows.order_by("pk"):
        end = near_ends.end_of(row)
        if end is None or end > today:
            continue
        is_expired = row.expires_on is not None and row.expires_on < today
        move_filing(
            filing=row,
            to=FilingStatus.EXPIRED if is_expired else FilingStatus.CLEARED,
            actor=actor,
            now=now,
        )
        ended += 1
    return ended


def _take_over(row: Filing, values: FiledValues) -> None:
    given: dict[str, Any] = {
        "kind": values.kind.value,
        "name": values.name.strip().removeprefix("【").removesuffix("】").strip(),
        "text": values.text.strip(),
        "variables": {name: str(held).strip() for name, held in values.variables.items()},
        "provider_code": values.provider_code.strip(),
        "evidence": values.evidence.strip(),
        "expires_on": values.expires_on,
    }
    is_draft = row.status == FilingStatus.DRAFT
    for name, value in given.items():
        if name in _FROZEN and not is_draft and getattr(row, name) != value:
            raise ProviderFilingRefused(
                _("What was handed in is not changed; take it back as a draft first."), field=name
            )
        setattr(row, name, value)


def _refuse_invalid(row: Filing) -> None:
    if row.channel.kind != "sms":
        raise ProviderFilingRefused(
            _("Only channels of text messages file anything."), field="channel"
        )
    try:
        row.clean_fields()
    except ValidationError as error:
        name, found = next(iter(error.message_dict.items()))
        raise ProviderFilingRefused(" ".join(found), field=name) from error
    if row.kind == FilingKind.SIGNATURE:
        return
    if not row.text:
        raise ProviderFilingRefused(_("A template has a text."), field="text")
    names = filed_texts.names_in(row.text)
    if set(names) != set(row.variables):
        raise ProviderFilingRefused(
            _("Say what each variable of the text holds: %(names)s") % {"names": ", ".join(names)},
            field="variables",
        )
    for name, written in row.variables.items():
        try:
            filed_texts.compiled_expression(written, language=_LANGUAGE)
        except TemplateRefused as error:
            raise ProviderFilingRefused(
                _("What the variable %(name)s holds cannot be read: %(written)s")
                % {"name": name, "written": written},
                field="variables",
            ) from error


def _refuse_unready(row: Filing, to: FilingStatus, now: datetime) -> None:
    if to is not FilingStatus.APPROVED:
        return
    if row.kind == FilingKind.TEMPLATE and not row.provider_code:
        raise ProviderFilingRefused(
            _("An approved template has a number of the provider."), field="provider_code"
        )
    if row.expires_on is not None and row.expires_on < standing.today_of(now):
        raise ProviderFilingRefused(_("Its approval has ended already."), field="expires_on")
