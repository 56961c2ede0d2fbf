"""Whom a channel reaches is answered alike by the preview, the first page and the gates."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.selectors import overview
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.selectors.sending import contactable
from customers.models import ConsentState, ContactPoint, Customer
from customers.selectors import reach
from customers.selectors.segments import preview
from customers.selectors.segments.references import load_rule
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

_ZONE = ZoneInfo("Asia/Shanghai")
_UNREACHED = {SkipReason.UNREACHABLE, SkipReason.BOUNCED, SkipReason.NO_CONSENT}


@pytest.fixture
def people(now: datetime) -> list[Customer]:
    """Return six people of whom e-mail reaches the first, and SMS the first four."""
    people = make_people(6)
    points = ContactPoint.objects.filter(kind="email")
    points.filter(customer=people[1]).update(status="bounced")
    points.filter(customer=people[2]).update(is_primary=False)
    points.filter(customer=people[5]).delete()
    consents = ConsentState.objects.filter(customer__in=people)
    consents.filter(customer=people[3], channel="email").update(is_granted=False)
    consents.filter(customer=people[4]).update(expires_at=now)
    consents.filter(customer=people[0]).update(expires_at=now + timedelta(seconds=1))
    consents.filter(customer=people[5]).update(purpose="service")
    return people


@pytest.mark.parametrize(("channel", "reached"), [("email", [0]), ("sms", [0, 1, 2, 3])])
def test_the_gates_the_preview_and_the_first_page_agree(
    people: list[Customer], now: datetime, channel: str, reached: list[int]
) -> None:
    by_condition = Customer.objects.filter(reach.reached_by([channel], now=now))
    wanted = {people[number].pk for number in reached}
    assert set(by_condition.values_list("pk", flat=True)) == wanted

    through_gates = {
        person.pk
        for person in people
        for answer in contactable.of_customer(person, now=now, zone=_ZONE)
        if answer.channel == channel and not _UNREACHED & set(answer.objections)
    }
    assert through_gates == wanted

    everybody = {"combinator": "and", "rules": []}
    rule, scope = load_rule(everybody, now=now, zone=_ZONE)
    shown = preview.preview(rule, scope, language="en", is_detailed=True)
    assert shown.reachable is not None
    assert shown.reachable[channel] == len(wanted)
    assert overview.load(now=now).reachable[channel] == len(wanted)


def test_somebody_whom_two_channels_reach_is_counted_once(
    people: list[Customer], now: datetime
) -> None:
    found = overview.load(now=now)
    assert (found.reachable, found.reachable_count) == ({"sms": 4, "email": 1}, 4)
