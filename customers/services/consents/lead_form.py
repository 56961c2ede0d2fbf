"""Somebody hands in the public lead form: a lead, and consents that wait for confirmation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from customers.domain.consents.captures import RawPerson, check_person
from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.consents.texts import LEAD_FORM_TEXT
from customers.domain.events.event import SUBJECT_LENGTH, EventName, ReportedEvent
from customers.domain.sources import SourceKind
from customers.domain.values.quality import QualityFinding
from customers.models import Customer
from customers.selectors.identity.captured_people import Directory, keys_of
from customers.services.consents import captures, opt_ins
from customers.services.consents.opt_ins import RequestedOptIn
from customers.services.events import log
from customers.services.sources import registry
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.identifiers import storable

SOURCE = "lead_form"
UTM_NAMES = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
UTM_LENGTH = 100


@dataclass(frozen=True, slots=True)
class LeadForm:
    """What was handed in.

    Attributes:
        form_id: Made with the empty form; the same one twice is the same lead.
        wishes: Channels for which the box for marketing was ticked.
        language: In which the texts were shown.
        campaign: The `utm_…` values of the address that led to the form.
    """

    form_id: UUID
    person: RawPerson = field(repr=False)
    wishes: Sequence[ConsentChannel]
    language: str
    campaign: Mapping[str, str]


def hand_in(
    *, actor: Actor, form: LeadForm, now: datetime, today: date
) -> tuple[QualityFinding, ...]:
    """Store a lead; with any finding nothing is stored.

    Of a person who is known already nothing is changed: a form proves nothing about who filled it
    in. Consents wait until the owner of the address confirms them.

    Returns:
        What is wrong with the values, nothing when the lead was stored.

    Raises:
        PermissionRefused: The actor may not add customers.
        SourceBarred: Somebody switched the form off in the register of sources.
    """
    act = acting(actor, "customers.add_customer", now=now)
    person, findings = check_person(form.person, today=today, zone=clock.company_zone(), now=now)
    if findings:
        return findings
    with act:
        registry.admit(actor=actor, name=SOURCE, now=now, kind=SourceKind.OWN_FORM)
        keys = keys_of(person)
        directory = Directory.load([keys])
        entry = directory.match(keys) or directory.add(keys, person)
        is_new = entry.customer_id is None
        captures.store_new(entries=directory.new, source=SOURCE, now=now)
        if entry.customer_id is None:
            raise AssertionError
        recorded = log.append_events(events=[_captured(form, entry.customer_id, now)], now=now)
        asked = opt_ins.append_requests(
            customer_id=entry.customer_id, wishes=_requested_opt_ins(form), source=SOURCE, now=now
        )
        if recorded.created:
            act.record(
                "lead_form.hand_in",
                on=(Customer, entry.customer_id),
                facts={"is_new": is_new, "opt_ins": [request.pk for request in asked]},
            )
        else:
            act.unchanged()
    return ()


def _captured(form: LeadForm, customer_id: int, now: datetime) -> ReportedEvent:
    said = {name: storable(form.campaign.get(name, ""))[:UTM_LENGTH] for name in UTM_NAMES}
    utm = {name: text for name, text in said.items() if text}
    return ReportedEvent(
        source=SOURCE,
        external_id="",
        customer_id=customer_id,
        name=EventName.LEAD_CAPTURED,
        occurred_at=now,
        dedup_key=f"form:{form.form_id}",
        channel="web",
        subject=utm.get("utm_campaign", "")[:SUBJECT_LENGTH],
        properties={
            **utm,
            "text_version": LEAD_FORM_TEXT.version,
            "text_shown": LEAD_FORM_TEXT.evidence(form.language),
        },
    )


def _requested_opt_ins(form: LeadForm) -> list[RequestedOptIn]:
    return [
        RequestedOptIn(
            channel,
            Purpose.MARKETING,
            LEAD_FORM_TEXT.version,
            LEAD_FORM_TEXT.evidence(form.language),
        )
        for channel in form.wishes
    ]
