"""Take in the leads of a partner: checked, matched, stored once, credited to whoever came first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from campaigns.domain.partners.contract import (
    ItemCode,
    ItemFault,
    ItemOutcome,
    LeadStanding,
    LeadStatus,
    rejected,
    status_of,
)
from campaigns.models import Partner, PartnerLead
from campaigns.selectors.campaigns import shares
from customers.domain.consents.captures import CapturedPerson, RawPerson, check_person
from customers.domain.events.event import EventName, ReportedEvent
from customers.domain.values.quality import Code
from customers.selectors.identity.captured_people import Directory, DirectoryEntry, Keys, keys_of
from customers.services.consents import captures, ledger
from customers.services.consents.ledger import ConsentChange
from customers.services.events import log as event_log
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import AdmittedBy, acting
from loancrm.kernel.database.bulk_load import load_objects

_BY_SCOPE = AdmittedBy("the scope of the partner's token, and the contract")


@dataclass(frozen=True, slots=True)
class LeadSubmission:
    """One lead as a partner sent it.

    Attributes:
        index: Position in the call.
        reference: The partner's own id.
        campaign: Slug of a campaign that is shared with the partner, or empty.
    """

    index: int
    reference: str
    person: RawPerson = field(repr=False)
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A lead that was read, with the blind indexes of what could be read of its person."""

    submission: LeadSubmission
    person: CapturedPerson
    keys: Keys


@dataclass(slots=True)
class _Placed:
    """A lead that is about to be stored."""

    row: PartnerLead
    entry: DirectoryEntry
    person: CapturedPerson


@dataclass(slots=True)
class _LeadBook:
    """The leads that exist about the people at hand, and those that are being added."""

    partner: Partner
    own_by_reference: dict[str, tuple[PartnerLead, DirectoryEntry | None]] = field(
        default_factory=dict
    )
    own_by_customer: dict[int, PartnerLead] = field(default_factory=dict)
    credited_customers: set[int] = field(default_factory=set)
    placed: list[_Placed] = field(default_factory=list)
    placed_by_entry: dict[int, PartnerLead] = field(default_factory=dict)


def capture_leads(
    *,
    actor: Actor,
    partner: Partner,
    submissions: Sequence[LeadSubmission],
    now: datetime,
    today: date,
) -> list[ItemOutcome]:
    """Store the good leads of a call and say for every one what became of it.

    A new person becomes a customer with contact points, consents and a `lead_captured` event. Of a
    person who is known already nothing is changed, except that a consent can be taken back. The
    partner that brings a person first keeps the credit; a later one is told `duplicate` and nothing
    else. A consent for a purpose that the contract does not cover refuses the lead; what somebody
    took back is heard whatever else is wrong with the lead. The number of reading queries does not
    depend on the number of leads.
    """
    act = acting(actor, _BY_SCOPE, on=partner, now=now)
    outcomes: list[ItemOutcome] = []
    checked: list[_Checked] = []
    refused: list[_Checked] = []
    campaigns = _campaign_ids(partner, submissions)
    purposes = partner.data_source.terms.purposes
    for submission in submissions:
        person, findings = check_person(
            submission.person, today=today, zone=clock.company_zone(), now=now
        )
        faults = [ItemFault(finding.code, finding.column) for finding in findings]
        if any(claim.is_granted and claim.purpose not in purposes for claim in person.consents):
            faults.append(ItemFault(Code.PURPOSE_REFUSED, "consents.purpose"))
        if submission.campaign and submission.campaign not in campaigns:
            faults.append(ItemFault(ItemCode.CAMPAIGN_NOT_FOUND, "campaign"))
        item = _Checked(submission, person, keys_of(person))
        if faults:
            outcomes.append(rejected(submission.index, *faults))
            refused.append(item)
        else:
            checked.append(item)
    with act:
        directory = Directory.load([item.keys for item in (*checked, *refused)])
        book = _open_book(partner, checked, directory)
        for item in checked:
            campaign_id = campaigns.get(item.submission.campaign)
            outcomes.append(_place(book, directory, item, campaign_id, now))
        _store(book, directory, now)
        told = list(_repeated_withdrawals(partner.source, directory, (*checked, *refused)))
        ledger.append_changes(changes=[item for item in told if not item.is_doubtful], now=now)
        ledger.apply_reported_consents(changes=[item for item in told if item.is_doubtful], now=now)
        act.record("partner_leads_captured", facts=_counts(outcomes))
    return outcomes


def _campaign_ids(partner: Partner, submissions: Iterable[LeadSubmission]) -> Mapping[str, int]:
    if not any(submission.campaign for submission in submissions):
        return {}
    return dict(shares.campaigns_of(partner.user).values_list("slug", "pk"))


def _open_book(partner: Partner, checked: Sequence[_Checked], directory: Directory) -> _LeadBook:
    book = _LeadBook(partner)
    references = {item.submission.reference for item in checked}
    for lead in PartnerLead.objects.filter(partner=partner, reference__in=references):
        book.own_by_reference[lead.reference] = (lead, None)
    found = (directory.match(item.keys) for item in checked)
    ids = {entry.customer_id for entry in found if entry and entry.customer_id}
    for lead in PartnerLead.objects.filter(customer_id__in=ids).order_by("-pk"):
        if lead.standing == LeadStanding.ATTRIBUTED:
            book.credited_customers.add(lead.customer_id)
        if lead.partner_id == partner.pk:
            book.own_by_customer[lead.customer_id] = lead
    return book


def _place(
    book: _LeadBook,
    directory: Directory,
    item: _Checked,
    campaign_id: int | None,
    now: datetime,
) -> ItemOutcome:
    submission = item.submission
    entry = directory.match(item.keys)
    known = book.own_by_reference.get(submission.reference)
    if known is not None:
        return _repeated(submission.index, known, entry)
    own = _own_lead(book, entry)
    if own is not None:
        return ItemOutcome(submission.index, LeadStatus.DUPLICATE, own.public_id)
    standing = LeadStanding.ATTRIBUTED
    if entry is None:
        entry = directory.add(item.keys, item.person)
    elif entry.customer_id in book.credited_customers:
        standing = LeadStanding.DUPLICATE
    else:
        standing = LeadStanding.KNOWN
    lead = PartnerLead(
        partner=book.partner,
        reference=submission.reference,
        standing=standing,
        campaign_id=campaign_id,
        received_at=now,
    )
    book.placed.append(_Placed(lead, entry, item.person))
    book.placed_by_entry[id(entry)] = lead
    book.own_by_reference[submission.reference] = (lead, entry)
    return ItemOutcome(submission.index, status_of(standing), lead.public_id)


def _repeated(
    index: int, known: tuple[PartnerLead, DirectoryEntry | None], entry: DirectoryEntry | None
) -> ItemOutcome:
    lead, placed_entry = known
    if placed_entry is not None:
        is_same = placed_entry is entry
    else:
        is_same = entry is not None and entry.customer_id == lead.customer_id
    if is_same:
        return ItemOutcome(index, LeadStatus.DUPLICATE, lead.public_id)
    return rejected(index, ItemFault(ItemCode.REFERENCE_TAKEN, "reference"))


def _own_lead(book: _LeadBook, entry: DirectoryEntry | None) -> PartnerLead | None:
    if entry is None:
        return None
    placed = book.placed_by_entry.get(id(entry))
    if placed is not None or entry.customer_id is None:
        return placed
    return book.own_by_customer.get(entry.customer_id)


def _store(book: _LeadBook, directory: Directory, now: datetime) -> None:
    source = book.partner.source
    captures.store_new(entries=directory.new, source=source, now=now)
    for placed in book.placed:
        placed.row.customer_id = _stored_id(placed.entry)
    load_objects(PartnerLead, [placed.row for placed in book.placed])
    told = [placed for placed in book.placed if placed.row.standing != LeadStanding.DUPLICATE]
    captures.link(
        source=source,
        customer_ids={placed.row.reference: placed.row.customer_id for placed in told},
        now=now,
    )
    event_log.append_events(
        events=[_captured_event(source, placed.row, now) for placed in told], now=now
    )


def _repeated_withdrawals(
    source: str, directory: Directory, checked: Sequence[_Checked]
) -> Iterator[ConsentChange]:
    """Yield what people took back at the partner, whatever becomes of the lead otherwise.

    Whoever says no to one partner, or says it again, says it to us; a grant is not believed, and
    a word that cannot be read leaves none standing.
    """
    for item in checked:
        entry = directory.match(item.keys)
        if entry is None or entry.customer_id is None:
            continue
        for claim in item.person.consents:
            if not claim.is_granted:
                yield ConsentChange(
                    customer_id=entry.customer_id,
                    channel=claim.channel,
                    purpose=claim.purpose,
                    is_granted=False,
                    source=source,
                    evidence=claim.evidence,
                    is_doubtful=claim.is_doubtful,
                )


def _stored_id(entry: DirectoryEntry) -> int:
    if entry.customer_id is None:
        raise AssertionError
    return entry.customer_id


def _captured_event(source: str, lead: PartnerLead, now: datetime) -> ReportedEvent:
    return ReportedEvent(
        source=source,
        external_id=lead.reference,
        name=EventName.LEAD_CAPTURED,
        occurred_at=now,
        dedup_key=f"lead:{lead.reference}",
        customer_id=lead.customer_id,
    )


def _counts(outcomes: Sequence[ItemOutcome]) -> dict[str, int]:
    return {
        status.value: sum(outcome.status is status for outcome in outcomes) for status in LeadStatus
    }


def own_lead(*, partner: Partner, lead_id: UUID) -> PartnerLead | None:
    """Return a lead of this partner, or None; another partner's lead does not exist for it."""
    return PartnerLead.objects.filter(partner=partner, public_id=lead_id).first()
