"""One customer's timeline over all tables, a page at a time, in one query a table."""

from collections.abc import Sequence
from datetime import tzinfo

from django.conf import settings
from django.utils.module_loading import import_string

from customers.domain.timeline import Position, TimelineFilter, TimelinePage, page_of
from customers.selectors.profile.timeline_sources import TimelineSource

PAGE = 30


def sources() -> Sequence[TimelineSource]:
    """Return the tables of all apps that tell of customers, as their manifests list them."""
    return [
        source
        for path in settings.LOANCRM_MANIFESTS.timeline_sources
        for source in import_string(path)
    ]


def page(
    customer_id: int,
    *,
    wanted: TimelineFilter,
    after: Position | None,
    zone: tzinfo,
    size: int = PAGE,
) -> TimelinePage:
    """Return a page of what happened to a customer, newest first.

    A page costs one query for every table that can hold what is wanted, and one for the names of
    events, however long the history.

    Args:
        after: Place of the last entry of the page before; None for the first page.
        zone: Zone in which the days of loans begin.
    """
    parts = [
        source.read(customer_id, wanted, after=after, limit=size + 1, zone=zone)
        for source in sources()
    ]
    return page_of(parts, size=size)
