"""What the codes of a timeline stand for in this app: campaigns, templates, partners as sources."""

from collections.abc import Sequence

from campaigns.labels import receipts as receipt_labels
from campaigns.models import Campaign, MessageTemplate, Partner
from customers.domain.timeline import TimelineItem, TimelineKind
from customers.selectors.profile.timeline_names import Named, Names


def of_campaigns(entries: Sequence[TimelineItem]) -> Names:
    """Return the names of campaigns and templates that entries are about, and of partners."""
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
    found = {**_templates(entries, slugs - {*campaigns}), **found}
    codes = {entry.source for entry in entries if entry.source}
    rows = Partner.objects.filter(data_source__name__in=codes).select_related("data_source")
    partners = {row.data_source.name: Named(row.name, row) for row in rows} if codes else {}
    pages = {
        code: Named(receipt_labels.STOP_SOURCES.label(code))
        for code in codes & {*receipt_labels.STOP_SOURCES}
    }
    return Names(found, {**pages, **partners})


def _templates(entries: Sequence[TimelineItem], slugs: set[str]) -> dict[tuple[str, str], Named]:
    """Return the names of message templates that messages, and what came of them, are about."""
    asked = {
        (entry.name, entry.subject): str(entry.facts["template"])
        for entry in entries
        if "template" in entry.facts
    }
    of_events = {
        (entry.name, entry.subject): entry.subject
        for entry in entries
        if entry.kind is TimelineKind.EVENT and entry.subject in slugs
    }
    codes = {**of_events, **asked}
    if not codes:
        return {}
    rows = MessageTemplate.objects.filter(slug__in=set(codes.values()))
    known = {row.slug: row for row in rows}
    return {
        key: Named(known[slug].name, known[slug]) for key, slug in codes.items() if slug in known
    }
