"""Whom a campaign goes to is settled at its launch, whatever becomes of the segment."""

from datetime import timedelta

import pytest

from campaigns.models import Message
from campaigns.services.campaigns import launch
from customers.models import Customer, Segment
from customers.services.segments import versions
from tests.factories.campaigns import make_approved, make_channel
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _in_city(name):
    return {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": name}]}


@pytest.mark.parametrize("change", ["rule", "people", "both"])
def test_c6_an_edit_after_the_launch_does_not_change_the_audience(actor, now, change):
    make_channel()
    people = make_people(6)
    Customer.objects.filter(pk__in=[p.pk for p in people[:4]]).update(city="上海")
    Customer.objects.filter(pk__in=[p.pk for p in people[4:]]).update(city="北京")
    segment = versions.create_segment(
        actor=actor, slug="city", name="city", rule=_in_city("上海"), now=now
    )
    campaign = make_approved(actor, now, segment="city")
    launched = launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    before = sorted(Message.objects.filter(dispatch=launched).values_list("customer_id", flat=True))
    later = now + timedelta(minutes=5)

    if change != "people":
        versions.publish_version(actor=actor, segment=segment, rule=_in_city("北京"), now=later)
    if change != "rule":
        Customer.objects.update(city="广州", updated_at=later)

    segment = Segment.objects.get(pk=segment.pk)
    moved = versions.audience_of(segment, now=later).values_list("pk", flat=True)
    assert before == [p.pk for p in people[:4]]
    assert sorted(moved) != before
    after = sorted(Message.objects.filter(dispatch=launched).values_list("customer_id", flat=True))
    assert after == before
