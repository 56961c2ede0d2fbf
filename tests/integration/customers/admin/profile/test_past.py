"""A person's page tells what held at the end of any past day, rebuilt from ledger and stays."""

from datetime import timedelta

import pytest
from django.urls import reverse

from customers.models import ConsentRecord, Segment, SegmentMember
from loancrm.kernel import clock
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def person(now, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: now)
    (one,) = make_people(1, consents=())
    said = {"customer": one, "channel": "sms", "purpose": "marketing", "source": "core"}
    for days, is_granted in ((30, True), (10, False)):
        at = now - timedelta(days=days)
        ConsentRecord.objects.create(**said, is_granted=is_granted, at=at, recorded_at=at)
    segment = Segment.objects.create(slug="dormant", name="沉睡客户", created_at=now)
    SegmentMember.objects.create(
        segment=segment,
        customer=one,
        entered_at=now - timedelta(days=20),
        left_at=now - timedelta(days=5),
        source="rule:1",
    )
    return one


@pytest.fixture
def told(person, admin_client, now):
    def on(days):
        day = (now - timedelta(days=days)).astimezone(clock.company_zone()).date()
        answer = admin_client.get(
            reverse("admin:customers_customer_past", args=[person.pk]),
            {"day": day.isoformat()},
            headers={"accept-language": "en"},
        )
        text = answer.content.decode()
        return [word for word in ("granted", "withdrawn", "沉睡客户") if word in text]

    return on


def test_each_day_has_its_own_truth(told):
    assert told(31) == []
    assert told(25) == ["granted"]
    assert told(15) == ["granted", "沉睡客户"]
    assert told(8) == ["withdrawn", "沉睡客户"]
    assert told(0) == ["withdrawn"]


@pytest.mark.parametrize("day", ["yesterday", "9999-12-31"])
def test_what_is_no_day_is_told_so(person, admin_client, day):
    address = reverse("admin:customers_customer_past", args=[person.pk])
    assert admin_client.get(address, {"day": day}).status_code == 400


def test_the_page_of_a_person_leads_there(person, admin_client):
    page = admin_client.get(reverse("admin:customers_customer_change", args=[person.pk]))
    assert reverse("admin:customers_customer_past", args=[person.pk]) in page.content.decode()
