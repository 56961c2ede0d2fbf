"""What every way of discovering segments shares: whom it looks at and how results are written."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from analytics.domain.profiles import Difference
from customers.models import Customer, Segment
from customers.services.segments import versions as segments
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

PERMISSION = "analytics.add_discoverymodel"
# Called with a result in the transaction that writes it.
Finish = Callable[["Discovery"], None]


class DiscoveryRefused(LoanCrmError):
    """The customers do not carry what the method needs; nothing was written."""

    code = "discovery_refused"


@dataclass(frozen=True, slots=True)
class FoundSegment:
    """One segment that was written, with what sets its people apart from everybody looked at."""

    slug: str
    name: str
    size: int
    description: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a run wrote: the model version, the people it looked at, the segments."""

    method: str
    version: str
    people: int
    segments: tuple[FoundSegment, ...]


def finish_nothing(_result: Discovery) -> None:
    """Leave a result where it was written; nobody waits for it."""


def people_of(slug: str, *, now: datetime) -> QuerySet[Customer]:
    """Return the people of a segment, everybody without one.

    Raises:
        DiscoveryRefused: There is no such segment.
    """
    if not slug:
        return Customer.objects.live()
    segment = Segment.objects.filter(slug=slug).first()
    if segment is None:
        raise DiscoveryRefused(_("There is no segment “%(slug)s”.") % {"slug": slug}, slug=slug)
    return segments.audience_of(segment, now=now)


def writer_for(actor: Actor) -> Actor:
    """Return who writes the scores and lists of a search that an actor may make.

    The permission to search is enough for what a search writes; it is none to edit segments. The
    run's own audit entry names the person.
    """
    return system_actor(f"discovery:{actor.id}")


def write_segment(
    *,
    actor: Actor,
    found: FoundSegment,
    customer_ids: Collection[int],
    source: str,
    now: datetime,
) -> FoundSegment:
    """Make these customers the members of a list, and call and describe it as found."""
    actor = writer_for(actor)
    segment = segments.replace_members(
        actor=actor,
        slug=found.slug,
        name=found.name,
        customer_ids=customer_ids,
        source=source,
        now=now,
    )
    if (segment.name, segment.description) != (found.name, found.description):
        segments.edit_segment(
            actor=actor,
            segment=segment,
            name=found.name,
            description=found.description,
            now=now,
        )
    return found


def record_run(
    *, actor: Actor, result: Discovery, name: str, now: datetime, **facts: object
) -> None:
    """Write the audit entry of a run."""
    audit.record(
        actor=actor,
        action=f"discovery.{result.method}",
        object_type="discovery",
        object_id=name,
        now=now,
        facts={
            "version": result.version,
            "people": result.people,
            "segments": {found.slug: found.size for found in result.segments},
            **facts,
        },
    )
