"""What every page of the admin stands in: where one is, and what is asked for."""

import re

import pytest
from django.urls import reverse
from unfold import widgets

from campaigns.admin.receipts import SettleForm
from campaigns.admin.stops import LiftForm, StopForm
from campaigns.models import Receipt
from loancrm.kernel import clock
from loancrm.kernel.auditing import deployment
from loancrm.kernel.models import Deployment
from tests.factories.campaigns import make_channel
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db


def _way(page):
    head = page.content.decode().split("<main")[0]
    titles = re.findall(r'tracking-tight">\s*([^<]*?)\s*</', head)
    return [title for title in titles if title]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_way_to_a_page_names_no_station_twice(admin_client, language):
    (person,) = make_people(1)
    pages = [
        reverse("admin:campaigns_campaign_changelist"),
        reverse("admin:campaigns_campaign_add"),
        reverse("admin:customers_customer_changelist"),
        reverse("admin:customers_customer_change", args=[person.pk]),
    ]
    for address in pages:
        way = _way(admin_client.get(address, headers={"accept-language": language}))
        assert way
        assert len(set(way)) == len(way)


@pytest.mark.parametrize("form", [SettleForm, StopForm, LiftForm])
def test_what_is_asked_for_in_a_form_of_ours_can_be_seen(form):
    # Fields without the theme's look have no border.
    own = form.declared_fields
    assert own
    for name, field in own.items():
        assert type(field.widget).__module__ == widgets.__name__, name


def test_the_page_that_lets_sending_go_on_does_not_lead_to_itself(admin_client):
    deployment.current()
    Deployment.objects.update(held_reason="restored", held_at=clock.now())
    address = reverse("admin:campaigns_sending")
    elsewhere = admin_client.get(reverse("admin:index")).content.decode()
    assert elsewhere.count(f'href="{address}"') == 1
    assert f'href="{address}"' not in admin_client.get(address).content.decode()


def test_reports_that_wait_are_in_the_menu(admin_client):
    address = reverse("admin:campaigns_receipt_changelist")
    assert f'href="{address}"' in admin_client.get(reverse("admin:index")).content.decode()


def test_an_id_of_a_provider_is_shown_as_it_is_written(admin_client):
    now = clock.now()
    row = Receipt.objects.create(
        channel=make_channel(),
        provider_event_id="evt-1",
        kind="delivered",
        problem="message_unknown",
        occurred_at=now,
        received_at=now,
    )
    address = reverse("admin:campaigns_receipt_change", args=[row.pk])
    assert _way(admin_client.get(address))[-1] == "evt-1"
