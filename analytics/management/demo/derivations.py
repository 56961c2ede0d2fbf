"""What jobs would derive overnight, for data that was loaded past the services."""

from datetime import date, datetime

from analytics.services import lifetime_value, spending
from customers.services import relationships
from customers.services.events import lifecycle
from loancrm.kernel.access import Actor


def derive_everything(*, actor: Actor, as_of: date, now: datetime) -> None:
    """Derive stages with their history, ties between customers, lifetime values and spending."""
    lifecycle.refresh_everybody(actor=actor, now=now)
    relationships.derive(actor=actor, now=now, is_full=True)
    lifetime_value.value_customers(actor=actor, as_of=as_of, now=now)
    spending.describe_spending(actor=actor, as_of=as_of, now=now)
