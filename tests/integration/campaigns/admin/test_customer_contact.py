"""Whether a person may be written to: what really decides, on the person's page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.domain.receipts.stops import Stop, StopReason
from campaigns.models import Suppression
from campaigns.services.consents import preferences
from customers.models import Customer
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def browser(admin_user):
    client = Client(headers={"accept-language": "en"})
    client.force_login(admin_user)
    return client


@pytest.fixture
def person():
    return make_people(1)[0]


def _piece(browser, person):
    page = browser.get(reverse("admin:customers_customer_change", args=[person.pk]))
    address = page.context["contact_url"]
    assert address in page.content.decode()
    return browser.get(address)


def _answers(browser, person):
    found = _piece(browser, person).context["channels"]
    return {label.lower().replace("-", ""): objections for label, objections in found}


def test_u31_who_agreed_may_be_written_to(browser, person):
    answers = _answers(browser, person)
    assert (answers["sms"], answers["email"]) == ([], [])


def test_u31_every_thing_that_decides_is_named(browser, person, actor, now):
    stop = Stop(customer_id=person.pk, channel="sms", key="k", source="sms_reply", occurred_at=now)
    preferences.stop_contacts(actor=actor, stops=[stop], now=now)
    answers = _answers(browser, person)
    assert set(answers["sms"]) >= {
        "No consent for this channel and purpose",
        "On the stop list",
    }
    assert answers["email"] == []
    Customer.objects.filter(pk=person.pk).update(
        marketing_status="hardship",
        marketing_paused_until=now + timedelta(days=30000),
        weekly_message_limit=2,
    )
    answers = _answers(browser, person)
    assert set(answers["email"]) == {
        "The person has paused marketing",
        "In hardship or dispute, under an early warning, or excluded",
    }
    shown = _piece(browser, person).content.decode()
    assert "Marketing paused by the person until" in shown
    assert "At most 2 a week" in shown


def test_u31_the_stops_of_a_person_are_shown(browser, person, actor, now):
    stop = Stop(
        customer_id=person.pk,
        channel="",
        key="k",
        source="hotline",
        occurred_at=now,
        reason=StopReason.UNDER_REVIEW,
    )
    preferences.stop_contacts(actor=actor, stops=[stop], now=now)
    shown = _piece(browser, person).content.decode()
    entry = reverse("admin:campaigns_suppression_change", args=[Suppression.objects.get().pk])
    assert entry in shown
    assert "A reply that may be a refusal" in shown
    assert all("On the stop list" in found for found in _answers(browser, person).values())


def test_u31_no_page_calls_open_what_only_lacks_hardship(browser, person):
    page = browser.get(reverse("admin:customers_customer_change", args=[person.pk]))
    assert "May we contact?" not in page.content.decode()
    assert page.context["marketing_status"] == "No hardship or dispute"
    listed = browser.get(reverse("admin:customers_customer_changelist")).content.decode()
    assert ">open<" not in listed.lower().replace(" ", "").replace("\n", "")
