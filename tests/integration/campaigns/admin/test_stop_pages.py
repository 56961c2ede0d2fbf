"""The stop list in the admin: whether an address is on it, and which entry means which address."""

import pytest
from django.urls import reverse

from campaigns.models import Suppression
from campaigns.services.consents import stop_list_keeping
from campaigns.services.consents.stop_list_keeping import StopOrder
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LIST = "admin:campaigns_suppression_changelist"


@pytest.fixture
def entries(actor, now):
    make_people(2)
    for address in ("13800138001", "13900139002", "nobody@example.com", "p1@example.com"):
        stop_list_keeping.add_by_hand(
            actor=actor, order=StopOrder(channel="", address=address), reason="call", now=now
        )
    return Suppression.objects.all()


def test_u29_entries_of_addresses_can_be_told_apart(admin_client, entries):
    text = admin_client.get(reverse(LIST)).content.decode()
    assert "+86138****8001" in text
    assert "+86139****9002" in text
    assert "n***@example.com" in text
    assert "13800138001" not in text


def test_u29_an_address_is_looked_for_exactly_and_never_stands_in_an_address(admin_client, entries):
    search = reverse("admin:campaigns_suppression_search")
    for address, count in (
        ("138 0013 8001", 1),
        ("NOBODY@example.com", 1),
        ("p1@example.com", 1),
        ("p2@example.com", 0),
        ("13800138009", 0),
    ):
        answer = admin_client.post(search, {"address": address}, headers={"accept-language": "en"})
        assert answer.status_code == 302
        assert address.replace(" ", "")[-5:] not in answer["Location"]
        page = admin_client.get(answer["Location"], headers={"accept-language": "en"})
        assert page.context["cl"].result_count == count, address
        told = "No stop is in force for" in page.content.decode()
        assert told is (count == 0)
        assert admin_client.get(answer["Location"] + "&p=1").status_code in {200, 302}
    refused = admin_client.post(search, {"address": "x"}, follow=True)
    assert refused.context["cl"].result_count == 4
    assert admin_client.get(search).status_code == 405
    stranger = admin_client.get(reverse(LIST) + "?find=nonsense")
    assert stranger.context["cl"].result_count == 0


def test_u29_who_may_not_read_the_list_may_not_search_it(client, entries, django_user_model):
    user = django_user_model.objects.create_user("guest", is_staff=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    search = reverse("admin:campaigns_suppression_search")
    assert client.post(search, {"address": "13800138001"}).status_code == 403
