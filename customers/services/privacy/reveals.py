"""Showing a person's whole name, numbers and addresses: with a permission, a reason and a trace."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User

from customers.models import ContactPoint, Customer
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from loancrm.kernel.words.phrases import gettext as _

ACTION = "customer.reveal"
READ_TEXT = "customer.read_text"
LOOKS = (ACTION, "customer.export_own_data", READ_TEXT)
MOST_AN_HOUR = 20
SHORTEST_REASON = 4
LONGEST_REASON = 300


class RevealRefused(LoanCrmError):
    """Personal data is not shown: no reason was given, or too much was shown already."""

    code = "reveal_refused"


@dataclass(frozen=True, slots=True)
class Revealed:
    """What is stored sealed about one person, opened; (kind, value) for the contacts."""

    name: str = field(repr=False)
    national_id: str = field(repr=False)
    contacts: Sequence[tuple[str, str]] = field(repr=False)


def reveal(*, actor: Actor, customer_id: int, reason: str, now: datetime) -> Revealed:
    """Open the sealed values of one customer for one look.

    The trace is written before anything is handed out; at most `MOST_AN_HOUR` looks an actor.

    Raises:
        PermissionRefused: The actor may not reveal personal data.
        RevealRefused: The reason is missing, or the actor looked too often within the hour.
        Customer.DoesNotExist: There is no such customer.
    """
    customer = Customer.objects.get(pk=customer_id)
    kinds = list(customer.contact_points.order_by("kind").values_list("kind", flat=True))
    sealed = {"name": customer.name_sealed, "national_id": customer.national_id_sealed}
    note_look(
        actor=actor,
        customer=customer,
        reason=reason,
        now=now,
        action=ACTION,
        shown=[*(name for name, envelope in sealed.items() if envelope), *kinds],
    )
    return _open(customer)


def note_look(
    *,
    actor: Actor,
    customer: Customer,
    reason: str,
    now: datetime,
    action: str,
    **facts: object,
) -> None:
    """Let somebody see a person's whole data, with a trace, or refuse; see `reveal`.

    Args:
        action: What is done, as one of `LOOKS`; all of them count for the limit.
        facts: Written into the trace.
    """
    act = acting(actor, "customers.reveal_pii", on=customer, now=now)
    why = " ".join(reason.split())[:LONGEST_REASON]
    if len(why) < SHORTEST_REASON:
        raise RevealRefused(_("Say why you need to see this."))
    with act:
        _refuse_too_many(actor, now)
        act.record(action, facts=facts, reason=why)


def _refuse_too_many(actor: Actor, now: datetime) -> None:
    if actor.user is not None:
        # Two looks at once must not both find room for one more.
        User.objects.select_for_update().get(pk=actor.user.pk)
    looks = AuditEntry.objects.filter(
        actor_kind=actor.kind, actor_id=actor.id, action__in=LOOKS, at__gt=now - timedelta(hours=1)
    ).count()
    if looks >= MOST_AN_HOUR:
        raise RevealRefused(
            _("You have looked at %(count)s people within the hour; that is the limit.")
            % {"count": MOST_AN_HOUR}
        )


def _open(customer: Customer) -> Revealed:
    vault = crypto.vault()
    key = customer.public_id
    return Revealed(
        name=_opened(vault, Customer.NAME_COLUMN, key, customer.name_sealed),
        national_id=_opened(vault, Customer.NATIONAL_ID_COLUMN, key, customer.national_id_sealed),
        contacts=[
            (point.kind, vault.open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed))
            for point in customer.contact_points.order_by("kind", "-is_primary", "pk")
        ],
    )


def _opened(
    vault: crypto.Vault, column: str, key: UUID, envelope: bytes | memoryview | None
) -> str:
    return vault.open(column, key, envelope) if envelope else ""
