"""One customer's timeline over all tables, a page at a time, in one query a table."""

from collections.abc import Callable, Sequence
from datetime import tzinfo

from django.conf import settings
from django.utils.module_loading import import_string

from customers.domain.timeline import (
    TimelineFilter,
    TimelineKind,
    TimelinePage,
    TimelinePosition,
    page_of,
)
from customers.selectors.profile.timeline_sources import TimelineSource

PAGE = 30
# Whether the reader holds a permission.
May = Callable[[str], bool]


def may_nothing(_permission: str) -> bool:
    """Hold no permission beyond seeing the customer."""
    return False


def sources(*, may: May = may_nothing) -> Sequence[TimelineSource]:
    """Return the tables of all apps that tell of customers, as their manifests list them.

    Args:
        may: Tables that ask for more than seeing the customer are left out unless it says yes.
    """
    return [
        source
        for path in settings.LOANCRM_MANIFESTS.timeline_sources
        for source in import_string(path)
        if not source.permission or may(source.permission)
    ]


def kinds(*, may: May = may_nothing) -> Sequence[TimelineKind]:
    """Return what sorts of entries a reader can meet, in the order of the vocabulary."""
    met = {source.kind for source in sources(may=may)}
    return [kind for kind in TimelineKind if kind in met]


def page(
    customer_id: int,
    *,
    wanted: TimelineFilter,
    after: TimelinePosition | None,
    zone: tzinfo,
    size: int = PAGE,
    may: May = may_nothing,
) -> TimelinePage:
    """Return a page of what happened to a customer, newest first.

    A page costs one query for every table that can hold what is wanted, and one for the names of
    events, however long the history.

    Args:
        after: Place of the last entry of the page before; None for the first page.
        zone: Zone in which the days of loans begin.
        may: Whether the reader holds a permission that some tables ask for.
    """
    parts = [
        source.read(customer_id, wanted, after=after, limit=size + 1, zone=zone)
        for source in sources(may=may)
    ]
    return page_of(parts, size=size)
