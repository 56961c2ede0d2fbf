"""What is approved with a provider at this moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat

from campaigns.domain.content import sms_parts
from campaigns.domain.filing import filed_texts
from campaigns.domain.filing.filed_texts import FiledTemplate
from campaigns.domain.filing.filing import FilingDemand, FilingKind, FilingStatus
from campaigns.models import Channel, Filing
from loancrm.kernel import clock
from loancrm.kernel.database.bulk import Statement
from loancrm.kernel.texts.survey import TemplateRefused

_LANGUAGE = "zh-hans"


@dataclass(frozen=True, slots=True)
class FiledNow:
    """What one channel has filed, as it stands.

    Attributes:
        signature_id: The filing of the channel's signature, where it is approved.
        templates: All of its templates, whatever their state; their status is that of the day.
    """

    demand: FilingDemand = FilingDemand.NOTHING
    signature_id: int | None = None
    templates: tuple[FiledTemplate, ...] = ()

    @property
    def has_approved_template(self) -> bool:
        """Return whether any template may be sent."""
        return any(template.status is FilingStatus.APPROVED for template in self.templates)


NOTHING = FiledNow()


def today_of(now: datetime) -> date:
    """Return the day by which an approval ends: the lender's."""
    return now.astimezone(clock.company_zone()).date()


def signature_of(channel: Channel) -> str:
    """Return the signature that a channel sends under, without its brackets."""
    return sms_parts.leading_signature(channel.sender) or channel.sender.strip()


def is_good(today: date, prefix: str = "") -> Q:
    """Return the condition that filings are approved on a day."""
    is_within = Q(**{f"{prefix}expires_on__isnull": True}) | Q(
        **{f"{prefix}expires_on__gte": today}
    )
    return Q(**{f"{prefix}status": FilingStatus.APPROVED}) & is_within


def has_signature(prefix: str = "", *, today: date) -> Q:
    """Return the condition that a channel's signature is approved, or that none is wanted.

    Args:
        prefix: The way to the channel from the rows that are asked for.
    """
    rows = Filing.objects.filter(
        is_good(today), kind=FilingKind.SIGNATURE, channel=OuterRef(f"{prefix}pk")
    ).annotate(signed=Concat(Value("【"), F("name"), Value("】")))
    sender = OuterRef(f"{prefix}sender")
    return Q(**{f"{prefix}filing_demand": FilingDemand.NOTHING}) | Q(
        Exists(rows.filter(Q(name=sender) | Q(signed=sender)))
    )


def has_template(prefix: str = "", *, today: date) -> Q:
    """Return the condition that a channel has an approved template, or that none is wanted.

    Args:
        prefix: The way to the channel from the rows that are asked for.
    """
    rows = Filing.objects.filter(
        is_good(today), kind=FilingKind.TEMPLATE, channel=OuterRef(f"{prefix}pk")
    )
    return ~Q(**{f"{prefix}filing_demand": FilingDemand.TEMPLATE}) | Q(Exists(rows))


def filed_now(channel: Channel, *, now: datetime) -> FiledNow:
    """Return what a channel has filed, in one query; in none where its provider wants nothing."""
    demand = FilingDemand(channel.filing_demand)
    if demand is FilingDemand.NOTHING:
        return NOTHING
    today = today_of(now)
    rows = list(Filing.objects.filter(channel=channel).order_by("pk"))
    signature = signature_of(channel)
    signed = (
        row.pk
        for row in rows
        if row.kind == FilingKind.SIGNATURE and row.name == signature and _is_good(row, today)
    )
    templates = []
    if demand is FilingDemand.TEMPLATE:
        templates = [_template(row, today) for row in rows if row.kind == FilingKind.TEMPLATE]
    return FiledNow(demand, next(signed, None), tuple(found for found in templates if found))


def still_good(filing_ids: Sequence[int], *, now: datetime) -> Statement:
    """Return the condition, in SQL, that filings are approved now; part of every mark."""
    ids = sorted(set(filing_ids))
    marks = ", ".join(["%s"] * len(ids))
    today = connection.ops.adapt_datefield_value(today_of(now))
    return Statement(
        f"(SELECT COUNT(*) FROM campaigns_filing WHERE id IN ({marks}) AND status = %s"  # noqa: S608
        " AND (expires_on IS NULL OR expires_on >= %s)) = %s",
        [*ids, FilingStatus.APPROVED.value, today, len(ids)],
    )


def _is_good(row: Filing, today: date) -> bool:
    return row.status == FilingStatus.APPROVED and (
        row.expires_on is None or row.expires_on >= today
    )


def _template(row: Filing, today: date) -> FiledTemplate | None:
    status = FilingStatus(row.status)
    if status is FilingStatus.APPROVED and not _is_good(row, today):
        status = FilingStatus.EXPIRED
    try:
        expressions = {
            name: filed_texts.compiled_expression(str(written), language=_LANGUAGE)
            for name, written in row.variables.items()
        }
    except TemplateRefused:
        return None
    return FiledTemplate(row.pk, row.provider_code, row.text, status, expressions)
