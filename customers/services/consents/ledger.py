"""The one door to the consent ledger: every change recorded once, in force at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from customers.domain.consents.consent import (
    ConsentFact,
    ReportedConsentEffect,
    UnclearDecision,
    decide_reported_consent,
    is_in_force,
    state_at,
)
from customers.domain.sources import PERSONAL_SOURCES
from customers.models import ConsentRecord, ConsentState, Customer, UnclearConsent
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database.bulk_load import load_rows

RECORD_COLUMNS: Final = (
    *("customer", "channel", "purpose", "is_granted", "policy_version", "source", "evidence"),
    *("at", "expires_at", "recorded_at"),
)
STATE_COLUMNS: Final = (
    *("customer", "channel", "purpose", "is_granted", "changed_at", "expires_at", "source"),
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One customer takes back the consent for one channel and purpose.

    Attributes:
        source: Where it came from, such as `unsubscribe_link`.
        evidence: What proves it: an id, never the words of the person.
    """

    customer_id: int
    channel: str
    purpose: str
    source: str
    evidence: str = ""


class ConsentChange(NamedTuple):
    """A grant or withdrawal for one channel and purpose.

    A tuple, because a file brings hundreds of thousands of them.

    Attributes:
        policy_version: Which text the person agreed to, for grants.
        source: Where it came from, such as `preference_centre`.
        evidence: What proves it: an id or a digest, never the words of the person.
        expires_at: When a grant ends by itself.
        at: When it was said; without it now.
        said_to: Whom the person told it, where that is not the source of the change.
        is_doubtful: The word could not be read: it ends a grant, and is no first word.
    """

    customer_id: int
    channel: str
    purpose: str
    is_granted: bool
    source: str
    evidence: str = ""
    policy_version: str = ""
    expires_at: datetime | None = None
    at: datetime | None = None
    said_to: str | None = None
    is_doubtful: bool = False

    @property
    def key(self) -> "ConsentKey":
        """Return what the change is about."""
        return self.customer_id, self.channel, self.purpose


ConsentKey = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class AppliedConsents:
    """What became of reported consents.

    Attributes:
        written: The changes that are in force now, each with what was granted before, None where
            there was no word.
        conflicts: Grants that met a withdrawal and were not taken.
    """

    written: Sequence[tuple[ConsentChange, bool | None]]
    conflicts: Sequence[ConsentChange]


def withdraw(*, actor: Actor, withdrawals: Sequence[Withdrawal], now: datetime) -> int:
    """Take back consents; what is withdrawn already is left as it is.

    A customer without any record gets one too, so that a later import cannot grant by mistake.

    Returns:
        How many consents changed.

    Raises:
        PermissionRefused: The actor may not change consents.
    """
    with acting(actor, "customers.change_consentstate", now=now) as act:
        changed = append_withdrawals(withdrawals=withdrawals, now=now)
        if changed:
            act.record("consents.withdraw", on=("consent", "batch"), facts={"changed": changed})
        else:
            act.unchanged()
    return changed


def append_withdrawals(*, withdrawals: Sequence[Withdrawal], now: datetime) -> int:
    """Take back consents for a service that checks the permission and writes the audit entry."""
    changes = [
        ConsentChange(
            customer_id=item.customer_id,
            channel=item.channel,
            purpose=item.purpose,
            is_granted=False,
            source=item.source,
            evidence=item.evidence,
        )
        for item in withdrawals
    ]
    return len(append_changes(changes=changes, now=now))


def append_changes(*, changes: Sequence[ConsentChange], now: datetime) -> list[ConsentChange]:
    """Write grants and withdrawals for a service that checks the permission and audits itself.

    What is so already is left as it is. Of several changes of one consent the last one counts.

    Returns:
        The changes that were new, each with a row of the ledger.
    """
    wanted = {item.key: item for item in changes}
    customer_ids = sorted({item.customer_id for item in changes})
    if not customer_ids:
        return []
    with transaction.atomic():
        known = _locked(customer_ids)
        fresh = [item for key, item in wanted.items() if not _is_so(item, known.get(key), now)]
        _write(fresh, now=now)
        settle_unclear(words=wanted.values(), now=now)
    return fresh


def apply_reported_consents(
    *, changes: Sequence[ConsentChange], new_ids: Collection[int] = (), now: datetime
) -> AppliedConsents:
    """Write what a file, partner or form says about people: it can narrow, never widen.

    A grant counts where there was no word before; a withdrawal always counts. Of several words
    about a consent that nobody had spoken of, all go into the ledger and the latest one into force.
    For a service that checks the permission and audits itself. 2 to 8 statements for any number.
    A grant that ends by a word that cannot be read is listed, so that somebody asks.

    Args:
        new_ids: Customers who were created just now, so that nothing can be known of them.
    """
    known = _locked(sorted({item.customer_id for item in changes}.difference(new_ids)))
    first: defaultdict[ConsentKey, list[ConsentChange]] = defaultdict(list)
    narrowed: dict[ConsentKey, ConsentChange] = {}
    conflicts = []
    doubtful: set[ConsentKey] = set()
    for item in changes:
        fact = known.get(item.key)
        match decide_reported_consent(item.is_granted, before=fact.is_granted if fact else None):
            case ReportedConsentEffect.FIRST_WORD:
                if item.is_doubtful:
                    doubtful.add(item.key)
                else:
                    first[item.key].append(item)
            case ReportedConsentEffect.NARROWS:
                narrowed[item.key] = item
            case ReportedConsentEffect.CONFLICTS:
                conflicts.append(item)
            case ReportedConsentEffect.SAME:
                pass
    for key in doubtful & first.keys():
        first[key] = [item for item in first[key] if not item.is_granted]
    _write_first({key: items for key, items in first.items() if items}, now)
    _write([item._replace(at=None) for item in narrowed.values()], now=now)
    settle_unclear(words=[item for item in changes if item.customer_id not in new_ids], now=now)
    _list_unclear([item for item in narrowed.values() if item.is_doubtful], now)
    written: list[tuple[ConsentChange, bool | None]] = [
        (item, None) for items in first.values() for item in items
    ]
    written += [(item, True) for item in narrowed.values()]
    return AppliedConsents(written, conflicts)


def settle_unclear(*, words: Iterable[ConsentChange], now: datetime) -> None:
    """Close what waited for somebody to ask, where a clear word about the consent has come since.

    Also where it changes nothing: who refuses while the grant stands ended by a word that nobody
    could read must not be granted again because of that word.
    """
    clear = {item.key: item for item in words if not item.is_doubtful}
    if not clear:
        return
    rows = UnclearConsent.objects.filter(
        decision=UnclearDecision.OPEN, customer_id__in={key[0] for key in clear}
    )
    settled = []
    for row in rows:
        word = clear.get((row.customer_id, row.channel, row.purpose))
        if word is None or (word.is_granted and word.source not in PERSONAL_SOURCES):
            # A file cannot lift what ended the grant, whatever it says now.
            continue
        row.decision = UnclearDecision.GRANTED if word.is_granted else UnclearDecision.REFUSED
        row.decided_at, row.decided_by = now, word.source
        settled.append(row)
    if settled:
        UnclearConsent.objects.bulk_update(settled, ["decision", "decided_at", "decided_by"])


def append_settled(*, changes: Sequence[ConsentChange], now: datetime) -> None:
    """Put in force what a merge of two records settled, as said now.

    The ledger dates it now; the state keeps the time at which the person said it (`at`).
    """
    _write(changes, now=now)


def append_retractions(*, changes: Sequence[ConsentChange], now: datetime) -> None:
    """Take consents back to "nothing was ever said": a withdrawal in the ledger, no state."""
    load_rows(ConsentRecord, RECORD_COLUMNS, [_record(item, now, now) for item in changes])
    stored = _rows_of({item.customer_id for item in changes})
    gone = {item.key for item in changes}
    ids = [pk for pk, *key in stored.values_list("pk", *STATE_COLUMNS[:3]) if tuple(key) in gone]
    ConsentState.objects.filter(pk__in=ids).delete()


def load_history(
    *, records: Iterable[Sequence[Any]], states: Iterable[Sequence[Any]]
) -> tuple[int, int]:
    """Load whole ledgers of people who are new, with the states that follow from them.

    Args:
        records: Rows in the order of RECORD_COLUMNS.
        states: Rows in the order of STATE_COLUMNS.

    Returns:
        How many records and states were written.
    """
    written = load_rows(ConsentRecord, RECORD_COLUMNS, records)
    return written, load_rows(ConsentState, STATE_COLUMNS, states)


def _rows_of(customer_ids: Collection[int]) -> Any:
    return ConsentState.objects.filter(customer_id__in=customer_ids)


def _locked(customer_ids: Sequence[int]) -> dict[ConsentKey, ConsentFact]:
    """Return what is in force, and hold the customers until the end of the transaction.

    Two clicks at once must not both find a consent granted and write two records.
    """
    if not customer_ids:
        return {}
    if connection.features.has_select_for_update:
        customers = Customer.objects.filter(pk__in=customer_ids).order_by("pk")
        list(customers.select_for_update().values_list("pk"))
    return {
        (customer_id, channel, purpose): ConsentFact(*fact)
        for customer_id, channel, purpose, *fact in _rows_of(customer_ids).values_list(
            *STATE_COLUMNS
        )
    }


def _is_so(change: ConsentChange, fact: ConsentFact | None, now: datetime) -> bool:
    if fact is None:
        return False
    if not change.is_granted:
        return not fact.is_granted
    # What the person told us themselves is worth more than what somebody reported.
    is_better = change.source in PERSONAL_SOURCES and fact.source not in PERSONAL_SOURCES
    return not is_better and is_in_force(fact, now=now) and fact.expires_at == change.expires_at


def _write_first(words: dict[ConsentKey, list[ConsentChange]], now: datetime) -> None:
    """Write the first words about consents; a state that comes in between is an IntegrityError."""
    states = []
    for key, items in words.items():
        facts = [
            ConsentFact(item.is_granted, min(item.at or now, now), item.expires_at, item.source)
            for item in items
        ]
        fact = state_at(facts, now=now)
        if fact is not None:
            states.append((*key, fact.is_granted, fact.at, fact.expires_at, fact.source))
    records = [_record(item, item.at or now, now) for items in words.values() for item in items]
    if records:
        load_history(records=records, states=states)


def _write(changes: Sequence[ConsentChange], *, now: datetime) -> None:
    if not changes:
        return
    load_rows(ConsentRecord, RECORD_COLUMNS, [_record(item, now, now) for item in changes])
    ConsentState.objects.bulk_create(
        [
            ConsentState(
                customer_id=item.customer_id,
                channel=item.channel,
                purpose=item.purpose,
                is_granted=item.is_granted,
                changed_at=item.at or now,
                expires_at=item.expires_at,
                source=item.source if item.said_to is None else item.said_to,
            )
            for item in changes
        ],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["customer", "channel", "purpose"],
        update_fields=["is_granted", "changed_at", "expires_at", "source"],
    )


def _list_unclear(ended: Sequence[ConsentChange], now: datetime) -> None:
    if ended:
        UnclearConsent.objects.bulk_create(
            UnclearConsent(
                customer_id=item.customer_id,
                channel=item.channel,
                purpose=item.purpose,
                source=item.source,
                evidence=item.evidence,
                ended_at=now,
            )
            for item in ended
        )


def _record(item: ConsentChange, at: datetime, now: datetime) -> tuple[Any, ...]:
    said = (item.is_granted, item.policy_version, item.source, item.evidence)
    return (*item.key, *said, at, item.expires_at, now)
