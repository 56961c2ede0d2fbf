"""What this app knows of a customer's past: events, loans, consents, stages, scores, records."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from customers import labels
from customers.domain.events.event import EventName
from customers.domain.fields.score_bands import CLV_PARTS, RFM_PARTS
from customers.domain.timeline import TimelineFilter, TimelineItem, TimelineKind, TimelinePosition
from customers.models import (
    Application,
    ConsentRecord,
    Event,
    EventType,
    IdentityLink,
    Loan,
    Merge,
    Score,
    StageEntry,
)
from customers.selectors.profile.timeline_sources import Rows, TimelineSource

# Events of these sources are copies of rows that stand in the timeline themselves.
_COPYING = ("lifecycle", "campaigns")
_COPIES = (
    EventName.STAGE_ENTERED,
    EventName.STAGE_LEFT,
    EventName.MESSAGE_SENT,
    EventName.MESSAGE_DELIVERED,
    EventName.MESSAGE_BOUNCED,
)
# A row of the same day says more than the event: (table, its moment, whether it is a date).
_SHOWN_AS_ROWS: Mapping[EventName, tuple[type[Any], str, bool]] = {
    EventName.APPLICATION_SUBMITTED: (Application, "submitted_at", False),
    EventName.APPLICATION_APPROVED: (Application, "decided_at", False),
    EventName.APPLICATION_DECLINED: (Application, "decided_at", False),
    EventName.LOAN_DISBURSED: (Loan, "disbursed_on", True),
    EventName.LOAN_SETTLED: (Loan, "settled_on", True),
}
EntryOf = Callable[[Any, TimelinePosition], TimelineItem]


def _of(model: type[Any], *related: str) -> Rows:
    """Return the reader of a table whose rows have a customer."""

    def rows(customer_id: int, wanted: TimelineFilter, zone: tzinfo) -> QuerySet[Any, Any]:
        found: QuerySet[Any, Any] = model.objects.filter(customer_id=customer_id)
        return found.select_related(*related) if related else found

    return rows


def _by_channel(model: type[Any], *related: str) -> Rows:
    """Return the reader of a table whose rows have a customer and a channel."""

    def rows(customer_id: int, wanted: TimelineFilter, zone: tzinfo) -> QuerySet[Any, Any]:
        found: QuerySet[Any, Any] = _of(model, *related)(customer_id, wanted, zone)
        if wanted.channel:
            found = found.filter(channel=wanted.channel)
        return found

    return rows


def _scores(customer_id: int, wanted: TimelineFilter, zone: tzinfo) -> QuerySet[Any, Any]:
    """Return the scores, without those that another one sums up."""
    rows = Score.objects.filter(customer_id=customer_id)
    return rows.exclude(model_name__in=(*RFM_PARTS, *CLV_PARTS))


def _events(customer_id: int, wanted: TimelineFilter, zone: tzinfo) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = _by_channel(Event, "type")(customer_id, wanted, zone)
    if wanted.source:
        rows = rows.filter(source=wanted.source)
    if wanted.event:
        rows = rows.filter(type__name=wanted.event)
    if wanted.is_of_events:
        return rows
    return rows.exclude(type__in=_types_shown_as_rows())


def _untold_events(customer_id: int, wanted: TimelineFilter, zone: tzinfo) -> QuerySet[Any, Any]:
    """Return the events of the names that rows tell as well, without those that a row does tell.

    Apart from the other events: among thousands of those the planner would misjudge the conditions
    and sort all of them instead of reading the newest from the index.
    """
    # By their keys the planner knows how rare they are; joined by name, it takes them for most.
    ids = {} if wanted.is_of_events else dict(_types_shown_as_rows().values_list("name", "pk"))
    if not ids:
        return Event.objects.none()
    rows: QuerySet[Any, Any] = _by_channel(Event, "type")(customer_id, wanted, zone)
    copies = [ids[name] for name in _COPIES if name in ids]
    rows = rows.filter(type_id__in=ids.values()).exclude(type_id__in=copies, source__in=_COPYING)
    rows = rows.annotate(day=TruncDate("occurred_at", tzinfo=zone))
    for name, (model, moment, is_day) in _SHOWN_AS_ROWS.items():
        if name not in ids:
            continue
        told = model.objects.filter(customer=OuterRef("customer"))
        if not is_day:
            told = told.annotate(told_on=TruncDate(moment, tzinfo=zone))
        column = moment if is_day else "told_on"
        told = told.filter(**{column: OuterRef("day")})
        rows = rows.exclude(Q(type_id=ids[name]) & Exists(told))
    return rows


def _types_shown_as_rows() -> QuerySet[EventType]:
    return EventType.objects.filter(name__in=(*_COPIES, *_SHOWN_AS_ROWS))


def _event_entry(row: Event, position: TimelinePosition) -> TimelineItem:
    name = row.type.name
    is_stage = name in {EventName.STAGE_ENTERED, EventName.STAGE_LEFT}
    return TimelineItem(
        position,
        TimelineKind.EVENT,
        name,
        labels.event(name),
        subject=labels.STAGES.label(row.subject) if is_stage else row.subject,
        channel=row.channel,
        amount=row.amount,
        source=row.source,
    )


def _application_entry(*, is_decision: bool) -> EntryOf:
    def entry(row: Application, position: TimelinePosition) -> TimelineItem:
        submitted = EventName.APPLICATION_SUBMITTED
        return TimelineItem(
            position,
            TimelineKind.APPLICATION,
            f"application_{row.status}" if is_decision else submitted,
            _("Application decided") if is_decision else labels.event(submitted),
            subject=str(row.product or ""),
            channel=row.channel,
            amount=row.amount,
            source=row.source,
            facts={"status": row.status, "number": row.external_id},
            notes=(labels.APPLICATION_STATUSES.label(row.status), row.external_id),
        )

    return entry


def _loan_entry(name: str) -> EntryOf:
    def entry(row: Loan, position: TimelinePosition) -> TimelineItem:
        return TimelineItem(
            position,
            TimelineKind.LOAN,
            name,
            _("Loan charged off") if name == "loan_charged_off" else labels.event(name),
            subject=str(row.product or ""),
            amount=row.principal_amount,
            source=row.source,
            facts={"number": row.external_id, "status": row.status},
            notes=(row.external_id,),
        )

    return entry


def _consent_entry(row: ConsentRecord, position: TimelinePosition) -> TimelineItem:
    return TimelineItem(
        position,
        TimelineKind.CONSENT,
        "consent_granted" if row.is_granted else "consent_withdrawn",
        _("Consent granted") if row.is_granted else _("Consent withdrawn"),
        subject=labels.PURPOSES.label(row.purpose),
        channel=row.channel,
        source=row.source,
        facts={"purpose": row.purpose, "version": row.policy_version},
        notes=_known(row.policy_version),
    )


def _stage_entry(row: StageEntry, position: TimelinePosition) -> TimelineItem:
    return TimelineItem(
        position,
        TimelineKind.STAGE,
        EventName.STAGE_ENTERED,
        labels.event(EventName.STAGE_ENTERED),
        subject=labels.STAGES.label(row.stage),
        source="lifecycle",
        facts={"stage": row.stage},
    )


def _score_entry(row: Score, position: TimelinePosition) -> TimelineItem:
    value = f"{row.value.normalize():f}"
    return TimelineItem(
        position,
        TimelineKind.SCORE,
        "score_given",
        _("Score given"),
        subject=labels.score_model(row.model_name),
        facts={"value": value, "band": row.band, "version": row.version},
        notes=_known(value, labels.score_band(row.band), labels.model_version(row.version)),
    )


def _link_entry(row: IdentityLink, position: TimelinePosition) -> TimelineItem:
    return TimelineItem(
        position,
        TimelineKind.RECORD,
        "record_linked",
        _("Record taken in"),
        subject=row.source,
        source=row.source,
        facts={"matched_by": row.matched_by},
        notes=_known(labels.matched_by(row.matched_by)),
    )


def _merges(customer_id: int, wanted: TimelineFilter, zone: tzinfo) -> QuerySet[Any, Any]:
    return Merge.objects.filter(Q(kept_id=customer_id) | Q(other_id=customer_id))


def _merge_entry(row: Merge, position: TimelinePosition) -> TimelineItem:
    return TimelineItem(
        position,
        TimelineKind.RECORD,
        "record_merged",
        _("Records merged"),
        subject=f"#{row.other_id} → #{row.kept_id}",
        source="merge",
        facts={"kept": row.kept_id, "other": row.other_id},
        notes=_known(_("taken back") if row.undone_at else ""),
    )


def _known(*notes: str) -> tuple[str, ...]:
    return tuple(note for note in notes if note)


def _application(rank: int, moment: str, *, is_decision: bool) -> TimelineSource:
    rows, entry = _by_channel(Application, "product"), _application_entry(is_decision=is_decision)
    return TimelineSource(rank, TimelineKind.APPLICATION, rows, moment, entry, has_channel=True)


def _loan(rank: int, moment: str, name: str) -> TimelineSource:
    rows = _of(Loan, "product")
    return TimelineSource(rank, TimelineKind.LOAN, rows, moment, _loan_entry(name), is_day=True)


# Of things that happened at one moment the first here stands above; an outcome above its cause.
# The ranks are part of cursors that clients hold: new sources get new ranks.
SOURCES: tuple[TimelineSource, ...] = (
    TimelineSource(10, TimelineKind.STAGE, _of(StageEntry), "entered_at", _stage_entry),
    TimelineSource(20, TimelineKind.SCORE, _scores, "scored_at", _score_entry),
    _loan(30, "charged_off_on", "loan_charged_off"),
    _loan(31, "settled_on", EventName.LOAN_SETTLED),
    _loan(32, "disbursed_on", EventName.LOAN_DISBURSED),
    _application(40, "decided_at", is_decision=True),
    _application(41, "submitted_at", is_decision=False),
    TimelineSource(50, TimelineKind.EVENT, _events, "occurred_at", _event_entry, has_channel=True),
    TimelineSource(
        51, TimelineKind.EVENT, _untold_events, "occurred_at", _event_entry, has_channel=True
    ),
    TimelineSource(
        60, TimelineKind.CONSENT, _by_channel(ConsentRecord), "at", _consent_entry, has_channel=True
    ),
    TimelineSource(70, TimelineKind.RECORD, _merges, "merged_at", _merge_entry),
    TimelineSource(71, TimelineKind.RECORD, _of(IdentityLink), "created_at", _link_entry),
)
