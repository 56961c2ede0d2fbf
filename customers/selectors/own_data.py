"""What a customer sees about themself: masked, in the language of the reader."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from customers import labels
from customers.domain.consents.consent import ConsentChannel, Purpose, contact_kind_of
from customers.domain.consents.preferences import RequestStatus
from customers.domain.sources import SourceKind
from customers.models import ConsentState, Customer, DataSource
from customers.selectors import consents as ledger
from customers.selectors.profile import person

_CODE = re.compile(r"[a-z0-9_.:/-]+")


@dataclass(frozen=True, slots=True)
class Offer:
    """One consent that the person may give or take back."""

    channel: ConsentChannel
    purpose: Purpose
    label: str
    is_granted: bool


@dataclass(frozen=True, slots=True)
class OpenPrivacyRequest:
    """One request about the data that is not answered yet."""

    kind: str
    due_at: datetime


def offers(customer: Customer, *, now: datetime) -> Sequence[Offer]:
    """Return the consents that concern this person: ways to reach them, and what is on record."""
    spoken = ConsentState.objects.filter(customer=customer).values_list("channel", flat=True)
    known_channels = set(spoken)
    granted = ledger.granted_now(customer.pk, now=now)
    kinds = set(customer.contact_points.values_list("kind", flat=True))
    channels = [
        channel
        for channel in ConsentChannel
        if contact_kind_of(channel) in kinds or channel in known_channels
    ]
    return [
        Offer(
            channel,
            purpose,
            f"{labels.CHANNELS.label(channel)} · {labels.PURPOSES.label(purpose)}",
            (channel, purpose) in granted,
        )
        for channel in channels
        for purpose in Purpose
    ]


def facts(customer: Customer) -> Sequence[tuple[str, str]]:
    """Return what we hold about a person as (name, masked value), without what is not known."""
    rows = [
        (_("Full name"), person.masked_name(customer)),
        (_("Identity number"), person.masked_national_id(customer)),
        (_("Gender"), labels.GENDERS.label(customer.gender)),
        (_("Place"), f"{customer.province} {customer.city}".strip()),
        (_("Occupation"), labels.occupation(customer.occupation)),
        (_("Education"), labels.education(customer.education)),
        (_("Income"), labels.income_band(customer.income_band)),
        (_("Where the data came from"), ", ".join(_sources(customer))),
    ]
    rows += [
        (labels.CONTACT_KINDS.label(point.kind), person.masked_contact(point))
        for point in customer.contact_points.order_by("kind", "-is_primary", "pk")
    ]
    rows += [
        (_("Loans"), str(customer.loans.count())),
        (_("Applications"), str(customer.applications.count())),
    ]
    return [(name, value) for name, value in rows if value]


def _sources(customer: Customer) -> Sequence[str]:
    """Return everybody who handed in data about the person, in words (2 queries)."""
    names = {customer.source} | set(customer.identity_links.values_list("source", flat=True))
    names -= {""}
    described = {row.name: row for row in DataSource.objects.filter(name__in=names)}
    return sorted({_source_words(name, described.get(name)) for name in names})


def _source_words(name: str, source: DataSource | None) -> str:
    """Return a source as a stranger reads it: its title, never the code that files call it by.

    One that nobody has given a title is told by its kind; a name that holds other letters than a
    code has was written for people.
    """
    if source is not None and source.title:
        return source.title
    if name in labels.OWN_SOURCES:
        return labels.OWN_SOURCES.label(name)
    if not _CODE.fullmatch(name):
        return name
    if source is not None and source.kind != SourceKind.UNREGISTERED:
        return labels.SOURCE_KINDS.label(source.kind)
    return _("Another source")


def open_requests(customer: Customer) -> Sequence[OpenPrivacyRequest]:
    """Return the requests about the data that are still to be answered."""
    rows = customer.privacy_requests.filter(status=RequestStatus.OPEN).order_by("requested_at")
    return [OpenPrivacyRequest(row.kind, row.due_at) for row in rows]
