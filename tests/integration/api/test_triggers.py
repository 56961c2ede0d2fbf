"""d2: the lender's own systems begin messages of a campaign that waits for their calls."""

from uuid import uuid4

import pytest

from campaigns.models import Campaign, CampaignTrigger, Message
from campaigns.services.campaigns import ticking
from campaigns.services.triggers import following
from customers.domain.sources import SourceKind
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_approved, make_channel, make_launched
from tests.factories.people import make_people
from tests.partner_client import new_partner

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
PATH = "campaigns/spring/triggers"


@pytest.fixture
def core(db):
    return new_partner("core", kind=SourceKind.OWN_SYSTEM)


@pytest.fixture
def people(db):
    make_channel()
    return make_people(3)


def waits(**values):
    return {"trigger": {"on": "api", **values}}


def call(*people, **fields):
    return {"triggers": [{"customer": str(person.public_id)} | fields for person in people]}


def test_d2_a_call_begins_the_message_of_a_campaign(core, people, actor, now):
    make_launched(actor, now, schedule=waits())
    answer = core.post(PATH, call(people[0]), key="k1")
    assert answer.status_code == 202, answer.content
    assert answer.json() == {
        "received": 1,
        "accepted": 1,
        "duplicates": 0,
        "rejected": 0,
        "results": [{"index": 0, "status": "accepted"}],
    }
    following.follow(holder="w", now=CampaignTrigger.objects.get().due_at)
    message = Message.objects.get()
    assert (message.customer, message.dispatch.run_number) == (people[0], 2)
    (entry,) = AuditEntry.objects.filter(action="campaign.triggered")
    assert entry.facts == {"partner": "core", "accepted": 1}


def test_d2_the_same_call_and_the_same_reference_begin_nothing_twice(core, people, actor, now):
    make_launched(actor, now, schedule=waits())
    first = core.post(PATH, call(people[0], reference="r1"), key="k1")
    again = core.post(PATH, call(people[0], reference="r1"), key="k1")
    assert (again.content, again.headers["Idempotent-Replay"]) == (first.content, "true")
    other = core.post(PATH, call(people[0], people[0], reference="r1"), key="k2").json()
    assert [row["status"] for row in other["results"]] == ["duplicate", "duplicate"]
    third = core.post(PATH, call(people[1], people[1], reference="r2"), key="k3").json()
    assert [row["status"] for row in third["results"]] == ["accepted", "duplicate"]
    assert CampaignTrigger.objects.count() == 2
    assert core.post(PATH, call(people[0])).json()["code"] == "idempotency_key_required"


def test_d2_an_unknown_person_is_refused_and_the_others_are_taken(core, people, actor, now):
    make_launched(actor, now, schedule=waits())
    content = call(people[0])
    content["triggers"] += [{"customer": str(uuid4())}, {"customer": 5}]
    reply = core.post(PATH, content, key="k1").json()
    assert [row["status"] for row in reply["results"]] == ["accepted", "rejected", "rejected"]
    assert [row["errors"][0]["code"] for row in reply["results"][1:]] == [
        "customer_not_found",
        "malformed_item",
    ]


def test_d2_only_a_running_campaign_that_waits_for_calls_takes_them(core, people, actor, now):
    assert core.post(PATH, call(people[0]), key="k1").status_code == 404
    campaign = make_approved(actor, now, schedule=waits())
    answer = core.post(PATH, call(people[0]), key="k2")
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_not_listening")
    Campaign.objects.filter(pk=campaign.pk).update(trigger=None)
    assert core.post(PATH, call(people[0]), key="k3").status_code == 404


def test_d2_a_paused_campaign_says_so(core, people, actor, now):
    run = make_launched(actor, now, schedule=waits())
    ticking.pause_campaign(campaign=run.campaign, actor=actor, now=now)
    assert core.post(PATH, call(people[0]), key="k1").json()["code"] == "campaign_not_listening"


def test_d2_other_companies_begin_nothing(people, actor, now):
    make_launched(actor, now, schedule=waits())
    partner = new_partner("shop")
    assert partner.post(PATH, call(people[0]), key="k1").status_code == 403
    assert not CampaignTrigger.objects.exists()


@pytest.mark.parametrize("count", [1, 40])
def test_d2_a_call_takes_as_many_queries_whatever_its_size(
    core, actor, now, people, count, django_assert_max_num_queries
):
    make_launched(actor, now, schedule=waits())
    many = make_people(count, prefix="m")
    with django_assert_max_num_queries(60):
        assert core.post(PATH, call(*many), key="k1").json()["accepted"] == count
