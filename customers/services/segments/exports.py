"""Exports of a segment's people: one person asks, another agrees, the first one downloads."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import F
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from customers.domain.exports import (
    LABELS,
    SEALED,
    ExportColumn,
    ExportState,
    csv_lines,
    read_columns,
)
from customers.models import Segment, SegmentExport
from customers.selectors.segments import export as segment_export
from customers.selectors.segments import history
from customers.services.segments import versions
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.errors import LoanCrmError

EXPORT = "customers.export_customers"
APPROVE = "customers.approve_segmentexport"
UNMASKED = "customers.export_unmasked"
VIEW = "customers.view_segment"
AVAILABLE_FOR = timedelta(hours=24)
SHORTEST_REASON = 4
LONGEST_REASON = 300
_BYTE_ORDER_MARK = "\ufeff"
_IDS_AT_ONCE = 5000


class ExportRequestInvalid(LoanCrmError):
    """A request to export lacks something; nothing was asked for."""

    code = "export_request_invalid"


class ExportNeedsSecondPerson(LoanCrmError):
    """Who asked for an export cannot decide about it."""

    code = "export_needs_second_person"


class ExportNotOpen(LoanCrmError):
    """The export is not in the state for this: decided already, not approved, or expired."""

    code = "export_not_open"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that is made while it is read, as CSV in UTF-8 with a byte order mark."""

    name: str
    parts: Iterator[bytes]


def request_export(
    *,
    actor: Actor,
    segment: Segment,
    columns: Sequence[str],
    reason: str,
    now: datetime,
    is_unmasked: bool = False,
) -> SegmentExport:
    """Ask for a file of the people whom a segment's current rule finds.

    Raises:
        PermissionRefused: The actor may not export, not see the segment, or not ask for data in
            clear.
        ExportRequestInvalid: No person asks, no reason or column is given, or one is unknown.
    """
    act = acting(actor, EXPORT, now=now)
    access.require(actor, VIEW, segment)
    if is_unmasked:
        access.require(actor, UNMASKED)
    person, why = _asked_by(actor, reason)
    if segment.current_version is None:
        raise ExportRequestInvalid(_("The segment has no rule yet."))
    with act:
        export = SegmentExport.objects.create(
            segment=segment,
            version=segment.current_version,
            columns=[column.value for column in _checked(columns)],
            reason=why,
            is_unmasked=is_unmasked,
            requested_by=person,
            requested_at=now,
        )
        _record(act, export, "requested", reason=why)
    return export


def approve_export(*, actor: Actor, export_id: int, now: datetime, note: str = "") -> SegmentExport:
    """Let the person who asked download the file for a day.

    Raises:
        PermissionRefused: The actor may not approve exports.
        ExportNeedsSecondPerson: The actor asked for it.
        ExportNotOpen: It is decided already.
    """
    return _decide(actor, export_id, ExportState.APPROVED, note, now)


def refuse_export(*, actor: Actor, export_id: int, now: datetime, note: str = "") -> SegmentExport:
    """Decide that there will be no file.

    Raises:
        PermissionRefused, ExportNeedsSecondPerson, ExportNotOpen: As `approve_export`.
    """
    return _decide(actor, export_id, ExportState.REFUSED, note, now)


def download_export(*, actor: Actor, export_id: int, now: datetime, today: date) -> ExportFile:
    """Return the file for the person who asked for it, with a trace of every download.

    The people are those whom the agreed rule finds now.

    Raises:
        PermissionRefused: The actor may no longer export, or is somebody else.
        ExportNotOpen: It is not approved, or its time is over.
        SegmentRuleInvalid: The agreed rule no longer fits the catalogue.
    """
    act = acting(actor, EXPORT, now=now)
    asked = SegmentExport.objects.get(pk=export_id)
    if actor.user is None or asked.requested_by_id != actor.user.pk:
        raise access.PermissionRefused(
            _("Only the person who asked for the export can download it."), permission=EXPORT
        )
    if asked.is_unmasked:
        access.require(actor, UNMASKED)
    with act:
        export = _locked(export_id)
        if export.state != ExportState.APPROVED or export.expires_at is None:
            raise ExportNotOpen(_("The export is not approved."), state=export.state)
        if export.expires_at <= now:
            raise ExportNotOpen(_("The time to download this export is over."), state="expired")
        people = versions.audience_queryset(export.version.rule, now=now)
        SegmentExport.objects.filter(pk=export.pk).update(download_count=F("download_count") + 1)
        _record(act, export, "downloaded")
    wanted = segment_export.Wanted(
        columns=read_columns(export.columns),
        is_unmasked=export.is_unmasked,
        now=now,
        today=today,
        yes=_("Yes"),
        no=_("No"),
    )
    name = f"{export.segment.slug}-{export.pk}.csv"
    language = get_language() or "en"
    pages = segment_export.pages(people, wanted)

    def note_rows(count: int) -> None:
        SegmentExport.objects.filter(pk=export.pk).update(row_count=count)

    return ExportFile(name, _encoded(wanted.columns, pages, language, note_rows))


def export_member_ids(
    *, actor: Actor, segment: Segment, at: datetime, reason: str, now: datetime
) -> Iterator[int]:
    """Return the ids of a segment's stored members at a moment, in order, and leave a trace of it.

    Ids say nothing outside of this deployment, so nobody else has to agree.

    Raises:
        PermissionRefused: The actor may not export, or not see the segment.
        ExportRequestInvalid: No person asks, or no reason is given.
    """
    act = acting(actor, EXPORT, now=now)
    access.require(actor, VIEW, segment)
    _person, why = _asked_by(actor, reason)
    members = history.members_at(segment=segment, at=at)
    with act:
        facts = {"slug": segment.slug, "at": at.isoformat(), "members": members.count()}
        act.record("segment.export_member_ids", on=segment, facts=facts, reason=why)
    return members.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=_IDS_AT_ONCE)


def _encoded(
    columns: Sequence[ExportColumn],
    pages: Iterator[list[list[str]]],
    language: str,
    note_rows: Callable[[int], None],
) -> Iterator[bytes]:
    heading = [LABELS[column].read(language) for column in columns]
    yield (_BYTE_ORDER_MARK + csv_lines([heading])).encode()
    count = 0
    while True:
        # The file is read after the page that asked for it; its language is over by then.
        with override(language):
            page = next(pages, None)
        if page is None:
            break
        count += len(page)
        yield csv_lines(page).encode()
    note_rows(count)


def _asked_by(actor: Actor, reason: str) -> tuple[User, str]:
    """Return the person who asks for a file, and why."""
    if actor.user is None:
        raise ExportRequestInvalid(_("An export is asked for by a person."))
    why = " ".join(reason.split())[:LONGEST_REASON]
    if len(why) < SHORTEST_REASON:
        raise ExportRequestInvalid(_("Say what the file is needed for."))
    return actor.user, why


def _checked(columns: Sequence[str]) -> tuple[ExportColumn, ...]:
    try:
        found = read_columns(columns)
    except ValueError as error:
        known = ", ".join(ExportColumn)
        raise ExportRequestInvalid(
            _("There is no such column; choose from: %(columns)s") % {"columns": known}
        ) from error
    if not found:
        raise ExportRequestInvalid(_("Choose at least one column."))
    return found


def _decide(
    actor: Actor, export_id: int, state: ExportState, note: str, now: datetime
) -> SegmentExport:
    act = acting(actor, APPROVE, now=now)
    asked = SegmentExport.objects.select_related("segment").get(pk=export_id)
    access.require(actor, VIEW, asked.segment)
    if actor.user is None or asked.requested_by_id == actor.user.pk:
        raise ExportNeedsSecondPerson(
            _("Another person than the one who asked decides about an export.")
        )
    with act:
        export = _locked(export_id)
        if export.state != ExportState.REQUESTED:
            raise ExportNotOpen(_("The export is decided already."), state=export.state)
        export.state = state
        export.decided_by = actor.user
        export.decided_at = now
        export.decision_note = " ".join(note.split())[:LONGEST_REASON]
        export.expires_at = now + AVAILABLE_FOR if state is ExportState.APPROVED else None
        export.save()
        _record(act, export, state, reason=export.decision_note)
    return export


def _locked(export_id: int) -> SegmentExport:
    found = SegmentExport.objects.select_for_update(of=("self",)).select_related(
        "segment", "version"
    )
    return found.get(pk=export_id)


def _record(act: Act, export: SegmentExport, what: str, *, reason: str = "") -> None:
    act.record(
        f"segment.export_{what}",
        on=export.segment,
        reason=reason,
        facts={
            "export": export.pk,
            "slug": export.segment.slug,
            "version": export.version.number,
            "columns": export.columns,
            "in_clear": export.is_unmasked and bool(SEALED & set(export.columns)),
        },
    )
