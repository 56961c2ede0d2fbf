"""What the builder saves of a segment: name, note and rule at once, over what was read."""

from datetime import datetime
from typing import Any

from django.db import transaction

from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.database import stale


def stored(segment: Segment) -> dict[str, Any]:
    """Return what the builder can change of a segment, as it is stored."""
    return {
        "name": segment.name,
        "description": segment.description,
        "version": segment.current_version_id,
    }


@transaction.atomic
def save_segment(
    *,
    actor: Actor,
    segment: Segment,
    name: str,
    description: str,
    rule: Any,
    now: datetime,
    seen: str = "",
) -> Segment:
    """Store name and note, and publish the rule; all of it or nothing.

    Args:
        rule: Decoded rule JSON in react-querybuilder's shape.
        seen: Digest of the `stored` that the change began from; empty where nothing was read.

    Raises:
        PermissionRefused: The actor may not change this segment.
        StaleSave: Somebody has saved the segment since it was read.
        SegmentRuleInvalid: With every problem of the rule, cycles included.
        SegmentWrongKind: The segment is a list of members.
    """
    access.require(actor, versions.CHANGE, segment)
    locked = Segment.objects.select_for_update().get(pk=segment.pk)
    stale.refuse_stale(seen, stored(locked))
    versions.edit_segment(segment=locked, name=name, description=description, actor=actor, now=now)
    versions.publish_version(segment=locked, rule=rule, actor=actor, now=now)
    return locked
