"""What the codes of a timeline stand for in this app: campaigns, and partners as sources."""

from collections.abc import Sequence

from campaigns import labels
from campaigns.models import Campaign, Partner
from customers.domain.timeline import Entry, TimelineKind
from customers.selectors.profile.timeline_names import Named, Names


def of_campaigns(entries: Sequence[Entry]) -> Names:
    """Return the names of campaigns that entries are about, and of the partners who told them."""
    events = [entry for entry in entries if entry.kind is TimelineKind.EVENT and entry.subject]
    about = [
        *((entry, entry.subject) for entry in events),
        *((entry, str(entry.facts["campaign"])) for entry in entries if "campaign" in entry.facts),
    ]
    slugs = {slug for _entry, slug in about}
    campaigns = {row.slug: row for row in Campaign.objects.filter(slug__in=slugs)} if slugs else {}
    found = {
        (entry.name, entry.subject): Named(campaigns[slug].name, campaigns[slug])
        for entry, slug in about
        if slug in campaigns
    }
    codes = {entry.source for entry in entries if entry.source}
    rows = Partner.objects.filter(data_source__name__in=codes).select_related("data_source")
    partners = {row.data_source.name: Named(row.name, row) for row in rows} if codes else {}
    pages = {code: Named(str(labels.STOP_SOURCES[code])) for code in codes & {*labels.STOP_SOURCES}}
    return Names(found, {**pages, **partners})
