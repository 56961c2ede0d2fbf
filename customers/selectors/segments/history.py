"""Who was in a segment when, and why they came and went."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from customers.models import Customer, Segment, SegmentMember


@dataclass(frozen=True, slots=True)
class SegmentStay:
    """One stay of a customer in a segment; open while `left_at` is None.

    Attributes:
        entered_why: What began it, such as `rule:3`, `time:3` or `change:3` (rule's version), or
            what made a list.
        left_why: What ended it; empty while it is open.
    """

    slug: str
    name: str
    entered_at: datetime
    entered_why: str
    left_at: datetime | None
    left_why: str


def members_at(*, segment: Segment, at: datetime) -> QuerySet[Customer]:
    """Return the customers who were stored members at a moment, unordered."""
    stays = SegmentMember.objects.filter(
        Q(left_at__isnull=True) | Q(left_at__gt=at),
        segment=segment,
        entered_at__lte=at,
        customer=OuterRef("pk"),
    )
    return Customer.objects.filter(Exists(stays))


def stays_of(*, customer_id: int) -> list[SegmentStay]:
    """Return a customer's stays, the newest first."""
    rows = (
        SegmentMember.objects.filter(customer_id=customer_id)
        .select_related("segment")
        .order_by("-entered_at", "-pk")
    )
    return [
        SegmentStay(
            slug=row.segment.slug,
            name=row.segment.name,
            entered_at=row.entered_at,
            entered_why=row.source,
            left_at=row.left_at,
            left_why=row.left_source,
        )
        for row in rows
    ]
