"""What the codes of a timeline stand for: names for a reader, and the rows they lead to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Model
from django.utils.module_loading import import_string

from customers import labels
from customers.domain.events.event import EventName
from customers.domain.timeline import Entry
from customers.models import DataSource, Segment

_OF_SEGMENTS = (EventName.SEGMENT_ENTERED, EventName.SEGMENT_LEFT)


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


Namer = Callable[[Sequence[Entry]], Names]


def names_in(entries: Sequence[Entry]) -> Names:
    """Return what all apps know of the codes of some entries, in one query a table."""
    found = Names()
    for path in settings.LOANCRM_MANIFESTS.timeline_names:
        namer: Namer = import_string(path)
        found = namer(entries).over(found)
    return found


def of_customers(entries: Sequence[Entry]) -> Names:
    """Return the names of segments, purposes and sources."""
    subjects: dict[tuple[str, str], Named] = {
        (entry.name, entry.subject): Named(labels.purpose(entry.subject))
        for entry in entries
        if entry.name == EventName.OPTED_IN and entry.subject
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
