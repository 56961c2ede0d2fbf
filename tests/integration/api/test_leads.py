"""Leads: what is stored, what is refused, who gets the credit, and what nobody learns."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.domain.partners.contract import LeadStanding
from campaigns.models import Partner, PartnerLead
from customers.models import (
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    DataSource,
    Event,
    IdentityLink,
)
from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from tests.partner_client import PartnerClient, lead

pytestmark = pytest.mark.sql

FULL = {
    "name": "欧阳娜娜",
    "phone": "+86 139-1234-5678",
    "email": "Nana@Example.com",
    "national_id": "11010519491231002X",
    "city": "北京",
    "occupation": "teacher",
    "language": "en",
    "consents": [
        {
            "channel": "sms",
            "purpose": "marketing",
            "at": "2026-01-02T03:04:05+08:00",
            "evidence": "form-7",
            "policy_version": "v3",
        },
        {
            "channel": "email",
            "purpose": "marketing",
            "granted": False,
            "at": "2026-01-02T03:04:05Z",
        },
    ],
}


def _counts() -> dict[str, int]:
    tables = (Customer, ContactPoint, IdentityLink, ConsentRecord, PartnerLead, Event)
    return {table.__name__: table.objects.count() for table in tables}


def test_a_lead_becomes_a_customer_with_contacts_consents_and_an_event(
    acme: PartnerClient,
) -> None:
    response = acme.post("leads", lead(1, **FULL), key="k1")

    assert response.status_code == 201
    reply = response.json()
    assert (reply["reference"], reply["status"]) == ("L1", "accepted")
    customer = Customer.objects.get()
    vault = crypto.vault()
    assert vault.open(Customer.NAME_COLUMN, customer.public_id, customer.name_sealed) == "欧阳娜娜"
    assert (customer.city, customer.occupation, customer.language, customer.lifecycle_stage) == (
        "北京",
        "teacher",
        "en",
        "lead",
    )
    assert (str(customer.birth_date), customer.gender) == ("1949-12-31", "female")
    points = {
        point.kind: vault.open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed)
        for point in ContactPoint.objects.all()
    }
    assert points == {"phone": "+8613912345678", "email": "nana@example.com"}
    states = ConsentState.objects.values_list("channel", "is_granted")
    assert dict(states) == {"sms": True, "email": False}
    record = ConsentRecord.objects.get(channel="sms")
    assert (record.evidence, record.policy_version, record.source) == (
        "form-7",
        "v3",
        "partner:acme",
    )
    assert IdentityLink.objects.get().external_id == "L1"
    event = Event.objects.select_related("type").get()
    assert (event.type.name, event.source) == ("lead_captured", "partner:acme")
    stored = PartnerLead.objects.get()
    assert (str(stored.public_id), stored.standing) == (reply["lead_id"], "attributed")


def test_the_audit_trail_names_the_partner_and_holds_no_personal_data(acme: PartnerClient) -> None:
    acme.post("leads", lead(1, **FULL), key="k1")

    entry = AuditEntry.objects.get(action="partner_leads_captured")
    assert (entry.actor_kind, entry.actor_id) == ("partner", str(acme.partner.pk))
    assert entry.facts == {"accepted": 1, "duplicate": 0, "rejected": 0}
    assert audit.verify().is_intact


@pytest.mark.parametrize(
    ("_case", "fields", "field", "code"),
    [
        ("bad phone", {"phone": "12345"}, "phone", "phone_invalid"),
        ("bad e-mail", {"email": "a@b@c"}, "email", "email_invalid"),
        ("bad id", {"national_id": "110105194912310021"}, "national_id", "id_checksum"),
        ("bad date", {"birth_date": "2001-02-30"}, "birth_date", "date_invalid"),
        ("birth to come", {"birth_date": "2999-01-01"}, "birth_date", "birth_future"),
        ("nothing", {"phone": "", "name": "x"}, "phone", "identity_missing"),
        ("id contradicts", {**FULL, "birth_date": "1980-01-01"}, "birth_date", "birth_conflict"),
        (
            "consent without evidence",
            {"consents": [{**FULL["consents"][0], "evidence": " "}]},  # type: ignore[index]
            "consents.evidence",
            "value_missing",
        ),
        (
            "consent to come",
            {"consents": [{**FULL["consents"][0], "at": "2999-01-01T00:00:00Z"}]},  # type: ignore[index]
            "consents.at",
            "date_invalid",
        ),
        ("not shared", {"campaign": "secret-plan"}, None, "campaign_not_found"),
    ],
)
def test_a_lead_with_a_wrong_field_is_refused_whole(
    acme: PartnerClient, _case: str, fields: dict[str, Any], field: str | None, code: str
) -> None:
    before = _counts()

    response = acme.post("leads", lead(1, **fields), key="k1")

    problem = response.json()
    if field is None:
        assert (response.status_code, problem["code"]) == (404, code)
    else:
        assert (response.status_code, problem["code"]) == (422, "invalid_fields")
        assert (field, code) in [(item["field"], item["code"]) for item in problem["errors"]]
    assert _counts() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("score", 700),
        ("is_staff", True),
        ("partner", 2),
        ("standing", "attributed"),
        ("lifecycle_stage", "active"),
        ("marketing_status", "open"),
        ("public_id", "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_a_field_that_is_not_offered_is_refused_not_ignored(
    acme: PartnerClient, field: str, value: Any
) -> None:
    response = acme.post("leads", lead(1, **{field: value}), key="k1")

    assert response.status_code == 400
    assert response.json()["code"] == "malformed_body"
    assert Customer.objects.count() == 0


def test_the_first_partner_keeps_the_credit_and_the_second_learns_nothing(
    acme: PartnerClient, bolt: PartnerClient
) -> None:
    first = acme.post("leads", lead(1, **FULL), key="k1").json()
    before = Customer.objects.values().get()

    response = bolt.post("leads", lead(7, **FULL | {"city": "上海"}), key="k1")

    second = response.json()
    assert (response.status_code, second["status"]) == (200, "duplicate")
    assert set(second) == {"lead_id", "reference", "status"}
    assert second["lead_id"] != first["lead_id"]
    assert Customer.objects.values().get() == before
    standings = dict(PartnerLead.objects.values_list("partner__slug", "standing"))
    assert standings == {"acme": "attributed", "bolt": "duplicate"}
    assert not IdentityLink.objects.filter(source="partner:bolt").exists()
    assert not Event.objects.filter(source="partner:bolt").exists()


def test_a_person_whom_the_lender_knows_is_not_given_away_and_not_changed(
    acme: PartnerClient, bolt: PartnerClient
) -> None:
    acme.post("leads", lead(1, **FULL), key="k1")
    PartnerLead.objects.all().delete()
    before = Customer.objects.values().get()
    consents = ConsentState.objects.count()

    response = bolt.post("leads", lead(7, **FULL), key="k1")

    assert (response.status_code, response.json()["status"]) == (201, "accepted")
    assert Customer.objects.values().get() == before
    assert ConsentState.objects.count() == ConsentRecord.objects.count() == consents
    assert PartnerLead.objects.get().standing == LeadStanding.KNOWN


def test_the_same_person_under_another_reference_is_a_duplicate_of_the_first(
    acme: PartnerClient,
) -> None:
    first = acme.post("leads", lead(1), key="k1").json()
    second = acme.post("leads", lead(1, reference="other"), key="k2").json()

    assert second["status"] == "duplicate"
    assert second["lead_id"] == first["lead_id"]
    assert PartnerLead.objects.count() == Customer.objects.count() == 1


def test_a_reference_cannot_be_moved_to_another_person(acme: PartnerClient) -> None:
    acme.post("leads", lead(1), key="k1")

    response = acme.post("leads", lead(2, reference="L1"), key="k2")

    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == "reference_taken"
    assert Customer.objects.count() == 1


def test_two_partners_may_use_the_same_reference(acme: PartnerClient, bolt: PartnerClient) -> None:
    assert acme.post("leads", lead(1), key="k").status_code == 201
    assert bolt.post("leads", lead(2, reference="L1"), key="k").status_code == 201


def test_a_recycled_number_makes_a_new_person_without_the_old_consent(acme: PartnerClient) -> None:
    acme.post("leads", lead(1, **FULL), key="k1")

    response = acme.post(
        "leads", {"reference": "new", "name": "王小明", "phone": FULL["phone"]}, key="k2"
    )

    assert response.status_code == 201
    person = Customer.objects.latest("pk")
    assert Customer.objects.count() == 2
    assert not person.consent_states.exists()
    assert not person.contact_points.get().is_primary


def test_a_bulk_call_answers_every_item_by_index(acme: PartnerClient) -> None:
    acme.post("leads", lead(4), key="earlier")
    items: list[Any] = [
        lead(0),
        lead(1, phone="nonsense"),
        lead(2, unknown_field=1),
        "no object",
        lead(4, reference="again"),
        lead(5),
        lead(5, reference="twin"),
        lead(6, reference="L5"),
    ]

    response = acme.post("leads/bulk", {"leads": items}, key="bulk")

    assert response.status_code == 200
    reply = response.json()
    assert [item["index"] for item in reply["results"]] == list(range(8))
    assert [item["status"] for item in reply["results"]] == [
        "accepted",
        "rejected",
        "rejected",
        "rejected",
        "duplicate",
        "accepted",
        "duplicate",
        "rejected",
    ]
    codes = {
        item["index"]: [(error["field"], error["code"]) for error in item["errors"]]
        for item in reply["results"]
        if "errors" in item
    }
    assert codes[1] == [("phone", "phone_invalid")]
    assert codes[2] == [("unknown_field", "malformed_item")]
    assert codes[7] == [("reference", "reference_taken")]
    assert (reply["received"], reply["accepted"], reply["duplicates"], reply["rejected"]) == (
        8,
        2,
        2,
        4,
    )
    assert reply["results"][5]["lead_id"] == reply["results"][6]["lead_id"]
    assert Customer.objects.count() == 3


@pytest.mark.parametrize(
    ("_case", "body"),
    [
        ("empty", b" "),
        ("no JSON", b"{"),
        ("no UTF-8", b'{"leads": [{"reference": "\xff"}'),
        ("wrong shape", b"[]"),
        ("no items", b'{"leads": []}'),
        ("too many", b'{"leads": [' + b"1," * 1000 + b"1]}"),
        ("extra", b'{"leads": [1], "partner": 3}'),
        ("deep", b'{"leads": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ],
)
def test_a_malformed_bulk_body_is_400_and_does_not_use_up_the_key(
    acme: PartnerClient, _case: str, body: bytes
) -> None:
    response = acme.post("leads/bulk", body, key="k")

    assert response.status_code == 400
    assert response.json()["code"] == "malformed_body"
    assert acme.post("leads/bulk", {"leads": [lead(1)]}, key="k").status_code == 200


def test_the_queries_of_a_bulk_call_do_not_depend_on_its_content(acme: PartnerClient) -> None:
    acme.post("leads/bulk", {"leads": [lead(900)]}, key="warm")
    counts = []
    for start, size in ((0, 3), (100, 30)):
        items = [
            lead(start + number, email=f"p{start + number}@example.com") for number in range(size)
        ]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            acme.post("leads/bulk", {"leads": items}, key=f"k{start}")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 45


def test_a_lead_is_read_by_its_own_partner_only(acme: PartnerClient, bolt: PartnerClient) -> None:
    created = acme.post("leads", lead(1), key="k").json()

    own = acme.get(f"leads/{created['lead_id']}")
    others = bolt.get(f"leads/{created['lead_id']}")

    assert own.json()["reference"] == "L1"
    assert set(own.json()) == {"lead_id", "reference", "status", "received_at"}
    assert (others.status_code, others.json()["code"]) == (404, "lead_not_found")
    assert Partner.objects.count() == 2


def test_s65_a_consent_beyond_the_contract_refuses_the_lead_by_field_and_code(
    acme: PartnerClient,
) -> None:
    DataSource.objects.filter(name="partner:acme").update(purposes=["service"])

    answer = acme.post("leads", lead(1, **FULL), key="k1")
    taken = acme.post("leads", lead(2), key="k2")

    assert "purpose_refused" in answer.content.decode()
    assert "consents.purpose" in answer.content.decode()
    assert taken.status_code == 201
    assert Customer.objects.count() == 1


def test_s65_a_partner_is_registered_as_a_source_with_the_end_of_its_contract(
    acme: PartnerClient,
) -> None:
    source = DataSource.objects.get()

    assert (source.name, source.kind) == ("partner:acme", "partner")
    assert acme.partner.data_source == source


def test_g1_a_refusal_told_to_a_partner_counts_though_the_lead_is_known(
    acme: PartnerClient, bolt: PartnerClient
) -> None:
    acme.post("leads", lead(1, **FULL), key="k1")
    assert ConsentState.objects.get(channel="sms").is_granted
    refusal = {**FULL["consents"][0], "granted": False}  # type: ignore[index]

    reply = bolt.post("leads", lead(7, **{**FULL, "consents": [refusal]}), key="k2")

    assert reply.json()["status"] == "duplicate"
    assert not ConsentState.objects.get(channel="sms").is_granted


def test_g1_a_refusal_in_a_lead_that_comes_again_counts(acme: PartnerClient) -> None:
    acme.post("leads", lead(1, **FULL), key="k1")
    refusal = {**FULL["consents"][0], "granted": False}  # type: ignore[index]

    reply = acme.post("leads", lead(1, **{**FULL, "consents": [refusal]}), key="k2")

    assert reply.json()["status"] == "duplicate"
    assert not ConsentState.objects.get(channel="sms").is_granted


@pytest.mark.parametrize("word", ["maybe", "也许", "", None, 7, ["x"], {"a": 1}, "opted out?"])
def test_g1_a_word_about_a_consent_that_cannot_be_read_leaves_no_grant_standing(
    acme: PartnerClient, word: object
) -> None:
    acme.post("leads", lead(1, **FULL), key="k1")
    unclear = {**FULL["consents"][0], "granted": word}  # type: ignore[index]

    reply = acme.post("leads", lead(1, **{**FULL, "consents": [unclear]}), key="k2")

    assert reply.json()["status"] == "duplicate"
    assert not ConsentState.objects.get(channel="sms").is_granted


@pytest.mark.parametrize("address", ["leads", "leads/bulk"])
@pytest.mark.parametrize("granted", [False, "maybe"])
def test_g1_who_says_no_in_a_lead_that_is_refused_is_heard(
    acme: PartnerClient, address: str, granted: object
) -> None:
    acme.post("leads", lead(1, **FULL), key="k1")
    said_no = {**FULL["consents"][0], "granted": granted}  # type: ignore[index]
    faulty = lead(2, **{**FULL, "consents": [said_no], "birth_date": "2150-01-01"})

    body = faulty if address == "leads" else {"leads": [faulty]}
    reply = acme.post(address, body, key="k2")

    assert b"birth_date" in reply.content
    assert PartnerLead.objects.count() == 1
    assert not ConsentState.objects.get(channel="sms").is_granted


def test_g1_a_word_that_cannot_be_read_about_somebody_new_is_no_word(acme: PartnerClient) -> None:
    unclear = {**FULL["consents"][0], "granted": "maybe"}  # type: ignore[index]

    reply = acme.post("leads", lead(1, **{**FULL, "consents": [unclear]}), key="k1")

    assert reply.status_code == 201
    assert not ConsentRecord.objects.exists()
