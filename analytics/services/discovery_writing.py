"""What every way of discovering segments shares: whom it looks at and how results are written."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from analytics.domain.profiles import ProfileDifference
from campaigns.services.campaigns import fairness
from customers.models import Customer, Segment
from customers.services.segments import versions as segments
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import Act
from loancrm.kernel.database import locks
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
    differences: tuple[ProfileDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a run wrote: the model version, the people it looked at, the segments.

    Attributes:
        skipped: People who were erased or merged while it looked at them.
    """

    method: str
    version: str
    people: int
    segments: tuple[FoundSegment, ...]
    skipped: int = field(default=0, kw_only=True)


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


def still_there(customer_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which of the customers were neither erased nor merged since they were read.

    Nobody erases them before the transaction ends, in which this is called.
    """
    people = Customer.objects.live().filter(pk__any_of=customer_ids.tolist())
    living = np.fromiter(locks.lock_against_deletion(people), dtype=np.int64)
    return np.isin(customer_ids, living)


def writer_for(actor: Actor) -> Actor:
    """Return who writes the scores and lists of a search that an actor may make.

    The permission to search is enough for what a search writes; it is none to edit segments. The
    run's own audit entry names the person.
    """
    return system_actor(f"discovery:{actor.id}")


def write_segment(
    act: Act, *, found: FoundSegment, customer_ids: Collection[int], source: str
) -> FoundSegment:
    """Make these customers the members of a list, and call and describe it as found."""
    actor = writer_for(act.actor)
    segment = segments.replace_members(
        actor=actor,
        slug=found.slug,
        name=found.name,
        customer_ids=customer_ids,
        source=source,
        now=act.now,
    )
    if (segment.name, segment.description) != (found.name, found.description):
        segments.edit_segment(
            actor=actor,
            segment=segment,
            name=found.name,
            description=found.description,
            now=act.now,
        )
    return found


def write_chosen_segment(
    act: Act,
    *,
    found: FoundSegment,
    customer_ids: Collection[int],
    source: str,
    base: str,
    score_models: Sequence[str] = (),
) -> FoundSegment:
    """Write a segment whose people a learned model chose, so that the check of fairness finds it.

    Args:
        base: Slug of the segment that they were chosen from; empty is everybody.
        score_models: The models whose scores decided.
    """
    written = write_segment(act, found=found, customer_ids=customer_ids, source=source)
    fairness.record_model_audience(
        actor=writer_for(act.actor),
        segment=Segment.objects.get(slug=found.slug),
        base=Segment.objects.filter(slug=base).first() if base else None,
        source=source,
        score_models=list(score_models),
        now=act.now,
    )
    return written


def record_run(act: Act, *, result: Discovery, name: str, **facts: object) -> None:
    """Write the audit entry of a run."""
    act.record(
        f"discovery.{result.method}",
        on=("discovery", name),
        facts={
            "version": result.version,
            "people": result.people,
            "segments": {found.slug: found.size for found in result.segments},
            **({"skipped": result.skipped} if result.skipped else {}),
            **facts,
        },
    )
