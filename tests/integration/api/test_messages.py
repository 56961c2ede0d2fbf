"""Messages that the lender's own systems ask for."""

from uuid import UUID, uuid4

import pytest

from campaigns.channels import registry
from campaigns.domain.partners.contract import TokenScope
from campaigns.models import Dispatch, Message, MessageRequest, MessageVariables
from campaigns.services.partners.contracts import ScopeRefused
from campaigns.services.requests import templates
from customers.domain.sources import SourceKind
from customers.models import ContactPoint, DataSource
from loancrm.kernel import clock
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from tests.factories.campaigns import make_channel
from tests.factories.people import make_people
from tests.factories.templates import make_author, make_template, template_spec
from tests.integration.campaigns.services.requests.test_sending_requests import drain
from tests.partner_client import new_partner

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
CODE = "482913"


@pytest.fixture
def core(db):
    return new_partner("core", kind=SourceKind.OWN_SYSTEM)


@pytest.fixture
def template(db, now):
    return make_template(make_channel("sms"), now)


@pytest.fixture
def people(db):
    return make_people(3)


def row(person, **fields):
    return {"customer": str(person.public_id), "variables": {"code": CODE}} | fields


def call(*rows, **fields):
    return {"template": "login-code", "priority": "urgent", "messages": list(rows)} | fields


def test_a_call_is_taken_and_its_messages_can_be_looked_after(core, template, people, now):
    content = call(row(people[0], reference="a-1"), row(people[1], reference="a-2"))
    answer = core.post("messages", content, key="k1")
    assert answer.status_code == 202
    reply = answer.json()
    assert (reply["received"], reply["accepted"], reply["rejected"]) == (2, 2, 0)
    assert [(item["index"], item["status"], item["state"]) for item in reply["results"]] == [
        (0, "accepted", "planned"),
        (1, "accepted", "planned"),
    ]
    assert [item["reference"] for item in reply["results"]] == ["a-1", "a-2"]

    Message.objects.filter(customer=people[1]).update(state="skipped", reason="suppressed")
    found = core.get(f"messages/{reply['request_id']}").json()
    assert (found["template"], found["priority"]) == ("login-code", "urgent")
    assert [(item["reference"], item["state"], item["reason"]) for item in found["messages"]] == [
        ("a-1", "planned", ""),
        ("a-2", "skipped", "suppressed"),
    ]
    ids = [item["message_id"] for item in reply["results"]]
    assert [item["message_id"] for item in found["messages"]] == ids
    request = MessageRequest.objects.get()
    assert (request.partner, request.public_id) == (core.partner, UUID(reply["request_id"]))
    (entry,) = AuditEntry.objects.filter(action="messages.requested")
    assert entry.facts == {"template": "login-code", "accepted": 2, "refused": 0}


def test_the_reply_is_replayed_and_nothing_goes_out_twice(core, template, people):
    content = call(row(people[0]))
    first = core.post("messages", content, key="k1")
    again = core.post("messages", content, key="k1")
    assert again.headers["Idempotent-Replay"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert Message.objects.count() == 1
    other = core.post("messages", call(row(people[1])), key="k1")
    assert other.json()["code"] == "idempotency_key_reused"
    assert core.post("messages", content).json()["code"] == "idempotency_key_required"


def test_a_person_is_found_by_id_or_number(core, template, people):
    # As it is stored: in the form of the whole world.
    index = crypto.vault().blind_index(ContactPoint.VALUE_COLUMN, "+8613812345678")
    people[1].contact_points.filter(kind="phone").update(value_index=index)
    phone = "138 1234 5678"
    values = {"variables": {"code": CODE}}
    answer = core.post(
        "messages",
        call(row(people[0]), {"phone": phone} | values),
        key="k1",
    )
    assert answer.status_code == 202, answer.content
    found = set(Message.objects.values_list("customer_id", "is_point_named"))
    assert found == {(people[0].pk, False), (people[1].pk, True)}


def test_a_person_is_found_by_the_address_that_an_email_goes_to(core, people, now):
    make_template(make_channel("email"), now)
    content = call({"email": "P3@Example.com", "variables": {"code": CODE}})
    assert core.post("messages", content, key="k1").status_code == 202
    assert Message.objects.get().customer_id == people[2].pk


def test_an_address_of_another_channel_is_not_written_around(core, template, people):
    """An SMS to whoever has an e-mail address would go to a number that nobody named."""
    content = call({"email": "p1@example.com", "variables": {"code": CODE}})
    answer = core.post("messages", content, key="k1")
    (error,) = answer.json()["errors"]
    assert (error["code"], error["field"]) == ("address_of_other_channel", "messages[0].email")
    assert not Message.objects.exists()


def test_nobody_is_found_by_a_further_number(core, people, now):
    # It may be several persons'.
    make_template(make_channel("email"), now)
    people[0].contact_points.filter(kind="email").update(is_primary=False)
    content = call({"email": "p1@example.com", "variables": {"code": CODE}})
    answer = core.post("messages", content, key="k1")
    assert answer.json()["errors"][0]["code"] == "unknown_customer"


def test_good_rows_are_taken_and_bad_ones_told_why_not(core, template, people):
    rows = [
        row(people[0]),
        row(people[0], reference="twice"),
        {"customer": str(uuid4()), "variables": {"code": CODE}},
        row(people[1], variables={}),
        row(people[1], variables={"code": CODE, "pin": "1"}),
        row(people[1], phone="13800000000"),
        {"variables": {"code": CODE}},
        {"customer": "nobody"},
        row(people[2], colour="red"),
        {"phone": "no number", "variables": {"code": CODE}},
        row(people[2]),
    ]
    answer = core.post("messages", call(*rows), key="k1")
    assert answer.status_code == 202
    results = answer.json()["results"]
    told = {
        item["index"]: [(error["code"], error["field"]) for error in item["errors"]]
        for item in results
        if item["status"] == "rejected"
    }
    assert told == {
        1: [("duplicate_customer", "customer")],
        2: [("unknown_customer", "customer")],
        3: [("variable_missing", "variables.code")],
        4: [("variable_undeclared", "variables")],
        5: [("person_told_twice", "phone")],
        6: [("person_missing", "")],
        7: [("malformed_item", "customer")],
        8: [("malformed_item", "colour")],
        9: [("unknown_customer", "phone")],
    }
    assert set(Message.objects.values_list("customer_id", flat=True)) == {
        people[0].pk,
        people[2].pk,
    }
    assert CODE not in answer.content.decode()
    assert all(error["detail"] for item in results for error in item.get("errors", ()))


def test_without_a_good_row_nothing_is_kept_and_the_key_is_free(core, template, people):
    bad = call(row(people[0], variables={}), {"phone": "+8613900000000"})
    answer = core.post("messages", bad, key="k1")
    assert answer.status_code == 422
    assert [(error["code"], error["field"]) for error in answer.json()["errors"]] == [
        ("variable_missing", "messages[0].variables.code"),
        ("unknown_customer", "messages[1].phone"),
        ("variable_missing", "messages[1].variables.code"),
    ]
    assert not Dispatch.objects.exists()
    assert not MessageRequest.objects.exists()
    assert core.post("messages", call(row(people[0])), key="k1").status_code == 202


@pytest.mark.parametrize("count", [0, 501])
def test_a_call_has_one_to_five_hundred_rows(core, template, people, count):
    answer = core.post("messages", call(*[row(people[0])] * count), key="k1")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert not Message.objects.exists()


def test_five_hundred_rows_are_one_call(core, template):
    crowd = make_people(500, prefix="q")
    answer = core.post("messages", call(*map(row, crowd)), key="k1")
    assert answer.json()["accepted"] == 500
    assert MessageVariables.objects.count() == 500


def test_only_an_approved_template_that_is_switched_on_is_sent(core, template, people, now):
    content = call(row(people[0]))
    unknown = core.post("messages", content | {"template": "nothing"}, key="k1")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "template_not_found")
    actor = make_author()
    templates.set_active(template=template, is_active=False, actor=actor, now=now)
    off = core.post("messages", content, key="k1")
    assert (off.status_code, off.json()["code"]) == (409, "template_not_usable")
    templates.set_active(template=template, is_active=True, actor=actor, now=now)
    spec = template_spec(template.channel, name="其他")
    templates.change_template(template=template, spec=spec, actor=actor, now=now)
    assert core.post("messages", content, key="k1").json()["code"] == "template_not_usable"
    assert not Message.objects.exists()


def test_a_changed_channel_is_no_longer_what_was_approved(core, template, people):
    template.channel.sender = "别的签名"
    template.channel.save()
    answer = core.post("messages", call(row(people[0])), key="k1")
    assert answer.json()["code"] == "template_not_usable"


def test_a_partner_never_gets_the_scope(template, people, now):
    acme = new_partner("acme")
    assert "messages:write" not in acme.partner.scopes
    answer = acme.post("messages", call(row(people[0])), key="k1")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    with pytest.raises(ScopeRefused):
        new_partner("bolt", scopes=[TokenScope.MESSAGES_WRITE])


def test_a_token_is_of_no_use_once_the_system_is_not_the_lenders_any_more(core, template, people):
    content = call(row(people[0]))
    request_id = core.post("messages", content, key="k1").json()["request_id"]
    DataSource.objects.filter(pk=core.partner.data_source_id).update(kind="partner")
    answer = core.post("messages", content, key="k2")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_own_system")
    assert core.get(f"messages/{request_id}").status_code == 403
    assert core.get_token(scope="messages:write").json()["code"] == "invalid_scope"


def test_another_systems_request_does_not_exist(core, template, people):
    request_id = core.post("messages", call(row(people[0])), key="k1").json()["request_id"]
    other = new_partner("app", kind=SourceKind.OWN_SYSTEM)
    answer = other.get(f"messages/{request_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "message_request_not_found")


def test_a_message_asked_for_is_sent_and_its_state_told(core, template, people, now, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: now)
    reply = core.post("messages", call(row(people[0])), key="k1").json()
    drain(now)
    (sent,) = registry.shared(name="sms-memory", backend="memory", options={}).delivered
    assert CODE in sent.payload.text
    (message,) = core.get(f"messages/{reply['request_id']}").json()["messages"]
    assert message["state"] == "sent"


def test_nothing_of_a_call_stays_in_the_clear(core, template, people, caplog):
    core.post("messages", call(row(people[0])), key="k1")
    (entry,) = AuditEntry.objects.filter(action="messages.requested")
    assert CODE not in str(entry.facts)
    assert CODE not in caplog.text
    assert entry.actor_kind == "partner"
