"""Segments: create, publish a version, and the customers that a rule selects."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from customers.models import Customer, Segment, SegmentVersion
from customers.models.customer import CustomerQuerySet
from loancrm.kernel.access import Actor


def create_segment(
    *, slug: str, name: str, rule: Mapping[str, Any], actor: Actor, now: datetime
) -> Segment:
    """Create a segment with its first version (the validating form of this is being written)."""
    segment = Segment.objects.create(slug=slug, name=name, owner=actor.user, created_at=now)
    version = SegmentVersion.objects.create(
        segment=segment, number=1, rule=rule, author=actor.user, created_at=now
    )
    segment.current_version = version
    segment.save(update_fields=["current_version"])
    return segment


def audience_queryset(rule: Mapping[str, Any], *, now: datetime) -> CustomerQuerySet:
    """Return the customers that a rule selects (the compiler is being written)."""
    return Customer.objects.live()
