"""Who can be reached through a channel: one definition for gates, previews and pages.

A person can be reached through a channel who has an address for it that is in use, and a consent to
marketing through it that is in force. An address for a channel is the person's primary one of the
channel's kind.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from customers.domain.consents.consent import ConsentChannel, Purpose, contact_kind_of
from customers.domain.values.contact import ContactStatus
from customers.models import ContactPoint
from customers.selectors import consents

# Those whose reach is counted on pages.
COUNTED = (ConsentChannel.SMS, ConsentChannel.EMAIL)


def points(channel: str) -> QuerySet[ContactPoint]:
    """Return the addresses for a channel, in use or not; at most one a person."""
    return ContactPoint.objects.filter(kind=contact_kind_of(channel), is_primary=True)


def is_usable(status: str) -> bool:
    """Return whether an address of this status is in use: it has not bounced, and is valid."""
    return status == ContactStatus.ACTIVE


def usable_points(channel: str) -> QuerySet[ContactPoint]:
    """Return the addresses for a channel that are in use."""
    return points(channel).filter(status=ContactStatus.ACTIVE)


def reached_points(channel: str, *, among: RawSQL, now: datetime) -> QuerySet[ContactPoint]:
    """Return the addresses of those among some people whom a channel reaches.

    From few to many: each step is then a look into a small table of keys.
    """
    granted = consents.in_force(now=now, channel=channel, purpose=Purpose.MARKETING)
    agreed = granted.filter(customer__in=among).values("customer")
    return usable_points(channel).filter(customer__in=agreed)


def reached_by(channels: Iterable[str], *, now: datetime) -> Q:
    """Return the condition of customers whom at least one of these channels reaches."""
    return reduce(or_, (_reached(channel, now) for channel in channels))


def _reached(channel: str, now: datetime) -> Q:
    granted = consents.in_force(now=now, channel=channel, purpose=Purpose.MARKETING)
    return Q(
        Exists(usable_points(channel).filter(customer=OuterRef("pk"))),
        Exists(granted.filter(customer=OuterRef("pk"))),
    )
