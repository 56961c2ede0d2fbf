"""Whether marketing may be sent to one person, channel by channel: the gates' own answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from campaigns.domain.sending import eligibility
from campaigns.domain.sending.eligibility import ContactFacts, MessagePlan, SkipReason
from campaigns.domain.sending.schedule import SendingWindow
from campaigns.models import Suppression
from campaigns.selectors.sending import contact_facts
from customers.domain.consents.consent import Purpose
from customers.models import ContactPoint, Customer

CHANNELS = ("sms", "email", "phone")
# Those that speak about the person; hours, caps and control groups are those of a campaign.
_GATES = (
    eligibility.reachable,
    eligibility.consented,
    eligibility.sourced,
    eligibility.not_suppressed,
    eligibility.not_paused,
    eligibility.not_in_hardship,
)
_AT_ANY_HOUR = SendingWindow(time(0), time(23, 59))


@dataclass(frozen=True, slots=True)
class Contactable:
    """What stands against marketing through one channel; nothing where it may be sent.

    Attributes:
        objections: Everything that objects, in the order of the gates.
    """

    channel: str
    objections: Sequence[SkipReason]


def of_customer(customer: Customer, *, now: datetime, zone: ZoneInfo) -> list[Contactable]:
    """Return the answer for every channel."""
    return [
        Contactable(channel, _objections(customer, _plan(channel, zone), now))
        for channel in CHANNELS
    ]


def stops_of(customer: Customer) -> QuerySet[Suppression]:
    """Return the entries of the stop list in force about a person or their addresses."""
    indexes = ContactPoint.objects.filter(customer=customer).exclude(value_index="")
    return Suppression.objects.filter(
        Q(customer=customer)
        | Q(value_index__in=list(indexes.values_list("value_index", flat=True))),
        lifted_at__isnull=True,
    ).order_by("-at", "-pk")


def _plan(channel: str, zone: ZoneInfo) -> MessagePlan:
    return MessagePlan(
        channel=channel,
        purpose=Purpose.MARKETING,
        uses_personal_rules=False,
        window=_AT_ANY_HOUR,
        caps=(),
        company_zone=zone,
    )


def _objections(customer: Customer, plan: MessagePlan, now: datetime) -> list[SkipReason]:
    people = contact_facts.load_prospects(customer_ids=[customer.pk], plan=plan, now=now)
    facts: ContactFacts = people[0].facts
    decisions = [gate(facts, plan, now) for gate in _GATES]
    return [decision.reason for decision in decisions if decision and decision.reason]
