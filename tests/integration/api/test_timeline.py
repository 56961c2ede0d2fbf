"""b2: the timeline through the API; a partner reads back its own reports and nothing else."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from guardian.shortcuts import assign_perm

from campaigns.domain.partners.contract import TokenScope
from customers.models import Customer, Event, EventType, Score
from loancrm.kernel import clock
from tests.factories.people import make_people
from tests.partner_client import ROOT, PartnerClient, lead, new_partner

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _write(customer, count, source):
    kind = EventType.objects.get_or_create(name="page_viewed")[0]
    now = clock.now()
    Event.objects.bulk_create(
        Event(
            customer=customer,
            type=kind,
            occurred_at=now - timedelta(minutes=n),
            received_at=now,
            channel="web",
            source=source,
            dedup_key=f"{source}-{n}",
        )
        for n in range(count)
    )


def _staff(*codenames, **options):
    user = User.objects.create_user("clerk", is_staff=True, **options)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client, user


def _address(public_id):
    return f"customers/{public_id}/timeline"


@pytest.fixture
def lead_id(acme: PartnerClient):
    return acme.post("leads", lead(1), key="lead").json()["lead_id"]


def test_b2_a_user_reads_all_pages_by_cursor():
    person = make_people(1)[0]
    _write(person, 120, "web")
    Score.objects.create(
        customer=person, model_name="rfm", version="v1", value=5, scored_at=clock.now()
    )
    client, _user = _staff("view_customer")
    url = ROOT + _address(person.public_id)

    found, cursor = [], None
    while True:
        query = {"limit": 50} | ({"cursor": cursor} if cursor else {})
        page = client.get(url, query).json()
        found += page["results"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(found) == 121
    assert [row["at"] for row in found] == sorted((row["at"] for row in found), reverse=True)
    assert found[0]["facts"] == {"value": "5", "band": "", "version": "v1"}
    only = client.get(url, {"kind": "score"}).json()["results"]
    assert [row["name"] for row in only] == ["score_given"]


def test_a_user_without_the_permission_finds_nobody_unless_it_is_given_on_this_customer():
    person, other = make_people(2)
    client, user = _staff()

    assert client.get(ROOT + _address(person.public_id)).status_code == 404
    assign_perm("customers.view_customer", user, person)

    assert client.get(ROOT + _address(person.public_id)).status_code == 200
    assert client.get(ROOT + _address(other.public_id)).json()["code"] == "customer_not_found"


def test_k_a_partner_reads_only_what_it_reported_of_its_own_lead(acme: PartnerClient, lead_id):
    acme.post(
        "events",
        {
            "event_id": "E1",
            "event": "application_started",
            "occurred_at": "2026-02-03T04:05:06+08:00",
            "lead_id": lead_id,
        },
    )
    customer = Customer.objects.get()
    _write(customer, 3, "core")
    _write(customer, 3, "partner:bolt")
    Score.objects.create(
        customer=customer, model_name="risk", version="v1", value=5, scored_at=clock.now()
    )

    for public_id in (lead_id, customer.public_id):
        answer = acme.get(_address(public_id)).json()
        assert [row["name"] for row in answer["results"]] == [
            "lead_captured",
            "application_started",
        ]
        assert {row["source"] for row in answer["results"]} == {"partner:acme"}
    assert acme.get(_address(lead_id) + "?kind=score").json()["results"] == []


def test_k_another_partners_lead_and_a_customer_do_not_exist_for_a_partner(
    acme: PartnerClient, lead_id
):
    bolt = new_partner("bolt")
    person = make_people(1)[0]

    for public_id in (lead_id, Customer.objects.first().public_id, person.public_id):
        answer = bolt.get(_address(public_id))
        assert (answer.status_code, answer.json()["code"]) == (404, "customer_not_found")


def test_a_partner_needs_the_scope_and_everybody_a_sign_in(acme: PartnerClient, lead_id):
    narrow = new_partner("narrow", scopes=[TokenScope.LEADS_WRITE])

    assert narrow.get(_address(lead_id)).json()["code"] == "insufficient_scope"
    assert Client().get(ROOT + _address(lead_id)).status_code == 401


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"kind": "nonsense"}, "timeline_filter_invalid"),
        ({"from": "yesterday"}, "timeline_filter_invalid"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "timeline_filter_invalid"),
        ({"event": "x" * 61}, "timeline_filter_invalid"),
        ({"cursor": "nonsense"}, "cursor_malformed"),
        ({"limit": "0"}, "cursor_malformed"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_a_code(query, code):
    person = make_people(1)[0]
    client, _user = _staff("view_customer")

    answer = client.get(ROOT + _address(person.public_id), query)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
