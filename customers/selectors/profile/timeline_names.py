"""What the codes of a timeline stand for: names for a reader, and the rows they lead to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Model
from django.utils.module_loading import import_string

from customers import labels
from customers.domain.events.event import EventName
from customers.domain.timeline import TimelineItem, TimelineKind
from customers.models import DataSource, Product, Segment

_OF_SEGMENTS = (EventName.SEGMENT_ENTERED, EventName.SEGMENT_LEFT)
_OF_PRODUCTS = (
    *(EventName.APPLICATION_STARTED, EventName.APPLICATION_SUBMITTED),
    *(EventName.APPLICATION_APPROVED, EventName.APPLICATION_DECLINED),
    *(EventName.LOAN_DISBURSED, EventName.REPAYMENT_MADE, EventName.LOAN_SETTLED),
    EventName.PAGE_VIEWED,
)


@dataclass(frozen=True, slots=True)
class Named:
    """A name, and the row that it leads to where there is one."""

    text: str
    row: Model | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Names of what entries are about, by (name of the entry, code), and of sources by code."""

    subjects: Mapping[tuple[str, str], Named] = field(default_factory=dict)
    sources: Mapping[str, Named] = field(default_factory=dict)

    def over(self, other: "Names") -> "Names":
        """Return both; where both know a code, this one's name."""
        return Names({**other.subjects, **self.subjects}, {**other.sources, **self.sources})


Namer = Callable[[Sequence[TimelineItem]], Names]


def names_in(entries: Sequence[TimelineItem]) -> Names:
    """Return what all apps know of the codes of some entries, in one query a table."""
    found = Names()
    for path in settings.LOANCRM_MANIFESTS.timeline_names:
        namer: Namer = import_string(path)
        found = namer(entries).over(found)
    return found


def of_customers(entries: Sequence[TimelineItem]) -> Names:
    """Return the names of segments, purposes and sources."""
    subjects: dict[tuple[str, str], Named] = {
        (entry.name, entry.subject): Named(labels.PURPOSES.label(entry.subject))
        for entry in entries
        if entry.name == EventName.OPTED_IN and entry.subject
    }
    wanted = {
        (entry.name, entry.subject)
        for entry in entries
        if entry.kind is TimelineKind.EVENT and entry.name in _OF_PRODUCTS and entry.subject
    }
    products = {row.code: row for row in _products({code for _name, code in wanted})}
    subjects |= {
        (name, code): Named(str(products[code])) for name, code in wanted if code in products
    }
    slugs = {entry.subject for entry in entries if entry.name in _OF_SEGMENTS}
    for segment in Segment.objects.filter(slug__in=slugs) if slugs else ():
        for name in _OF_SEGMENTS:
            subjects[name, segment.slug] = Named(segment.name, segment)
    codes = {entry.source for entry in entries if entry.source}
    sources = {code: Named(labels.own_source(code)) for code in codes}
    for source in DataSource.objects.filter(name__in=codes) if codes else ():
        sources[source.name] = Named(str(source), source)
    return Names(subjects, sources)


def _products(codes: set[str]) -> Sequence[Product]:
    return list(Product.objects.filter(code__in=codes)) if codes else ()
