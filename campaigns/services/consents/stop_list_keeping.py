"""The stop list kept by people: added to and ended by hand with a reason, imported and exported."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from campaigns.domain.receipts.stops import Stop, StopReason, StopSource
from campaigns.models import Suppression
from campaigns.selectors.receipts import targets
from campaigns.services.consents import preferences
from customers.domain.consents.consent import ConsentChannel, Purpose, contact_kind_of
from customers.domain.reading.tabular import TabularError, open_table
from customers.domain.values.contact import ContactKind
from customers.labels.problems import file_problem
from customers.models import ContactPoint, Customer
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.errors import LoanCrmError

COLUMNS = ("customer", "address_index", "channel", "purpose", "reason", "source", "at")
_BATCH = 500
_MANY = (Suppression, "batch")
_INDEX_DIGITS = frozenset("0123456789abcdef")


class StopRefused(LoanCrmError):
    """A stop cannot be kept as it was described."""

    code = "stop_refused"


@dataclass(frozen=True, slots=True)
class StopOrder:
    """Whom to leave alone, as a person or a file says it.

    Attributes:
        address: Number or e-mail address as it is written; or
        address_index: its blind index, from an export of this deployment; or
        customer: the public id of a customer.
        channel, purpose: Empty means all of them.
    """

    channel: str
    address: str = ""
    address_index: str = ""
    customer: str = ""
    purpose: str = Purpose.MARKETING


@dataclass(frozen=True, slots=True)
class StopImport:
    """What became of the rows of a file: rows = added + known + rejected."""

    rows: int
    added: int
    known: int
    rejected: int
    rejected_lines: tuple[int, ...]


def check(order: StopOrder) -> None:
    """Raise StopRefused where an order names nobody, or a channel or purpose that is none."""
    _scope(order)
    _index(order)


def add_by_hand(*, actor: Actor, order: StopOrder, reason: str, now: datetime) -> Suppression:
    """Put a person or an address on the stop list.

    Returns:
        The entry, which may have been there.

    Raises:
        PermissionRefused: The actor may not keep the stop list.
        StopRefused: No reason is given, or nobody could be meant.
    """
    act = acting(actor, "campaigns.add_suppression", now=now)
    _need(reason)
    with act:
        stop = _stop(order, StopReason.BY_HAND, StopSource.BY_HAND, now)
        added = preferences.append_stops(stops=[stop], now=now)
        row = _row_of(stop)
        act.record(
            "stop.add",
            on=(Suppression, row.pk),
            facts={"added": added, "channel": order.channel, "purpose": order.purpose},
            reason=reason.strip(),
        )
    return row


def lift(*, actor: Actor, ids: Sequence[int], reason: str, now: datetime) -> int:
    """End stops, such as those of replies that were no refusals after all; consents stay.

    Returns:
        How many were in force.

    Raises:
        PermissionRefused: The actor may not keep the stop list.
        StopRefused: No reason is given.
    """
    act = acting(actor, "campaigns.change_suppression", now=now)
    _need(reason)
    with act:
        rows = Suppression.objects.select_for_update().filter(pk__in=ids, lifted_at__isnull=True)
        open_ids = sorted(rows.values_list("pk", flat=True))
        Suppression.objects.filter(pk__in=open_ids).update(lifted_at=now)
        for pk in open_ids:
            act.record("stop.lift", on=(Suppression, pk), reason=reason.strip())
        if not open_ids:
            act.unchanged()
    return len(open_ids)


def import_stops(*, actor: Actor, path: Path, source: str, now: datetime) -> StopImport:
    """Take in a stop list: an export of this deployment, or a file of addresses from elsewhere.

    Columns: `channel`, and `address`, `address_index` or `customer`; `purpose` may be left out. A
    row that names nobody is rejected with its line, the others go in; a second run changes nothing.

    Raises:
        PermissionRefused: The actor may not keep the stop list.
        StopRefused: The file is no table with these columns.
    """
    act = acting(actor, "campaigns.add_suppression", now=now)
    counts: Counter[str] = Counter()
    rejected: list[int] = []
    batch: list[Stop] = []
    for line, order in _orders(path):
        counts["rows"] += 1
        stop = _stop_or_none(order, source, now)
        if stop is None:
            rejected.append(line)
        else:
            batch.append(stop)
        if len(batch) >= _BATCH:
            counts["added"] += _append(act, batch, source)
            batch = []
    counts["added"] += _append(act, batch, source)
    known = counts["rows"] - counts["added"] - len(rejected)
    result = StopImport(counts["rows"], counts["added"], known, len(rejected), tuple(rejected))
    with act:
        facts = {"source": source, "rows": result.rows, "rejected": len(rejected)}
        act.record("stops.import", on=_MANY, facts=facts)
    return result


def _append(act: Act, stops: Sequence[Stop], source: str) -> int:
    """Store a part of a list with its entry, so that none is stored by nobody after a kill."""
    with act:
        added = preferences.append_stops(stops=stops, now=act.now)
        if added:
            act.record("stops.import", on=_MANY, facts={"source": source, "added": added})
        else:
            act.unchanged()
    return added


def export_stops(*, actor: Actor, now: datetime) -> Iterator[Mapping[str, Any]]:
    """Yield the stops in force, without personal data, as `import_stops` takes them in again.

    Raises:
        PermissionRefused: The actor may not read the stop list.
    """
    with acting(actor, "campaigns.view_suppression", now=now) as act:
        act.record("stops.export", on=_MANY)
    rows = Suppression.objects.filter(lifted_at__isnull=True).order_by("pk")
    # An address that nobody has been given yet has no customer.
    found: QuerySet[Any, Any] = rows.values_list(
        "customer__public_id", "value_index", "channel", "purpose", "reason", "source", "at"
    )
    for public_id, index, channel, purpose, reason, source, at in found.iterator(chunk_size=2000):
        said = (channel, purpose, reason, source, at.isoformat())
        yield dict(zip(COLUMNS, (str(public_id or ""), index, *said), strict=True))


def _stop_or_none(order: StopOrder | None, source: str, now: datetime) -> Stop | None:
    try:
        return None if order is None else _stop(order, StopReason.IMPORTED, source, now)
    except StopRefused:
        return None


def _orders(path: Path) -> Iterator[tuple[int, StopOrder | None]]:
    """Yield every row with its line; None for a row that cannot be read as one."""
    try:
        with open_table(path) as table:
            names = set(table.columns)
            if "channel" not in names or not names & {"address", "address_index", "customer"}:
                raise StopRefused(
                    _("The file needs the columns channel and address, address_index or customer.")
                )
            for row in table:
                is_whole = not row.flaw and not row.surplus
                yield row.line, _order(row.values) if is_whole else None
    except TabularError as error:
        words = {"reason": file_problem(error)}
        raise StopRefused(_("The file cannot be read: %(reason)s.") % words) from error


def _order(row: Mapping[str, str]) -> StopOrder:
    return StopOrder(
        channel=row.get("channel", "").strip(),
        address=row.get("address", "").strip(),
        address_index=row.get("address_index", "").strip(),
        customer=row.get("customer", "").strip(),
        purpose=row.get("purpose", Purpose.MARKETING).strip(),
    )


def _scope(order: StopOrder) -> None:
    if order.channel and order.channel not in set(ConsentChannel):
        raise StopRefused(_("There is no such channel."))
    if order.purpose and order.purpose not in set(Purpose):
        raise StopRefused(_("There is no such purpose."))


def _stop(order: StopOrder, reason: StopReason, source: str, now: datetime) -> Stop:
    _scope(order)
    index = _index(order)
    customer_id = _customer(order, index)
    if customer_id is None and not index:
        raise StopRefused(_("Say whom: an address or a customer."))
    return Stop(
        customer_id=customer_id,
        value_index=index,
        address_masked=targets.masked_address(order.address) if index else "",
        channel=order.channel,
        purpose=order.purpose,
        key=f"{reason}:{customer_id}:{order.channel}:{order.purpose}:{now.isoformat()}",
        source=source[:60],
        occurred_at=now,
        reason=reason,
    )


def found(*, actor: Actor, address: str) -> tuple[str, QuerySet[Suppression]]:
    """Return an address masked, and what the list says about it and about whoever has it.

    Raises:
        PermissionRefused: The actor may not read the stop list.
        StopRefused: It is no address.
    """
    access.require(actor, "campaigns.view_suppression")
    index = _index(StopOrder(channel="", address=address))
    owners = ContactPoint.objects.filter(value_index=index).values("customer_id")
    rows = Suppression.objects.filter(Q(value_index=index) | Q(customer_id__in=owners))
    return targets.masked_address(address), rows


def _index(order: StopOrder) -> str:
    if order.address:
        any_kind = (ContactKind.EMAIL, ContactKind.PHONE)
        for kind in (contact_kind_of(order.channel),) if order.channel else any_kind:
            if normal := targets.normal_address(kind, order.address):
                return targets.address_index(normal)
        raise StopRefused(_("This is neither a telephone number nor an e-mail address."))
    index = order.address_index.lower()
    if len(index) > 64 or not set(index) <= _INDEX_DIGITS:
        raise StopRefused(_("This is no index of an address."))
    return index


def _customer(order: StopOrder, index: str) -> int | None:
    if order.customer:
        try:
            public_id = UUID(order.customer)
        except ValueError as error:
            raise StopRefused(_("There is no such customer.")) from error
        found = Customer.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
        if found is None and not index:
            raise StopRefused(_("There is no such customer."))
        return found
    if not index:
        return None
    owners = ContactPoint.objects.filter(value_index=index)
    return owners.values_list("customer_id", flat=True).first()


def _row_of(stop: Stop) -> Suppression:
    rows = Suppression.objects.filter(
        channel=stop.channel, purpose=stop.purpose, lifted_at__isnull=True
    )
    if stop.customer_id is not None:
        own = rows.filter(customer_id=stop.customer_id).first()
        if own is not None:
            return own
    return rows.get(value_index=stop.value_index)


def _need(reason: str) -> None:
    if not reason.strip():
        raise StopRefused(_("Say why."))
