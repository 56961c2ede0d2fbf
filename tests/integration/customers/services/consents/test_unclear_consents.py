"""A word about a consent that cannot be read ends a grant, begins none, and is on the list."""

import pytest

from customers.domain.consents.consent import ConsentProof, UnclearDecision
from customers.domain.imports import consent_proof
from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.person_row import ConsentWord
from customers.models import ConsentRecord, ConsentState, Customer, UnclearConsent
from customers.services.consents import ledger, unclear_consents
from customers.services.consents.ledger import ConsentChange
from customers.services.consents.unclear_consents import UnclearConsentRefused
from customers.services.identity import merging
from customers.services.imports import from_file
from customers.services.imports.from_file import ImportOrder
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.integration.customers.import_rows import MAPPING, NOW, person, write_csv

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _load(actor, tmp_path, name, rows, *, mapping=MAPPING, **changes):
    path = write_csv(tmp_path / name, rows)
    order = ImportOrder(path=path, mapping=mapping, source="core", **changes)
    return from_file.import_customers(actor=actor, order=order, now=NOW, today=NOW.date())


def _granted():
    rows = ConsentState.objects.filter(channel="sms", is_granted=True)
    return set(rows.values_list("customer__external_id", flat=True))


@pytest.mark.parametrize(
    "word", ["N", "退订", "unsubscribed", "退订短信", "Opted out", "撤回", "也许", "??", "yes/no"]
)
def test_g1_what_is_not_clearly_a_grant_leaves_none_standing(actor, tmp_path, word):
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y"), person(2, sms="Y")])
    assert ConsentState.objects.filter(is_granted=True).count() == 2
    _load(actor, tmp_path, "second.csv", [person(1, sms=word), person(2, sms="Y")])
    states = ConsentState.objects.order_by("customer_id").values_list("is_granted", flat=True)
    assert list(states) == [False, True]


_PLACEHOLDERS = [
    "none",
    "None",
    "NULL",
    "-",
    "--",
    "—",
    "N/A",
    "n/a",
    "#N/A",
    "nan",
    "\\N",
    "ｎｏｎｅ",
    "未知",
]


@pytest.mark.parametrize("word", _PLACEHOLDERS)
def test_g1_a_placeholder_in_a_consent_column_is_no_blank(actor, tmp_path, word):
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y"), person(2, sms="Y")])
    rejects = tmp_path / "rejects.csv"
    _load(actor, tmp_path, "next.csv", [person(1, sms=word), person(2, sms="Y")], rejects=rejects)
    assert _granted() == {"A2"}
    assert UnclearConsent.objects.get().customer.external_id == "A1"
    assert "flag_invalid" in rejects.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("word", ["", " ", "\u3000", "\u00a0"])
def test_g1_an_empty_consent_cell_says_nothing(actor, tmp_path, word):
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y")])
    _load(actor, tmp_path, "second.csv", [person(1, sms=word)])
    assert _granted() == {"A1"}
    assert not UnclearConsent.objects.exists()


@pytest.mark.parametrize("word", ["none", "-", "N/A"])
def test_g1_a_placeholder_about_somebody_new_begins_nothing(actor, tmp_path, word):
    _load(actor, tmp_path, "first.csv", [person(1, sms=word)])
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize("text", ["none", "-", "N/A", "null"])
def test_g1_a_placeholder_proves_no_consent(text):
    word = ConsentWord("sms", "marketing", is_granted=True)
    cells = {"text": text, "time": "2026-03-01T10:00:00+08:00"}
    proof = ConsentProof(text_column="text", time_column="time")
    assert consent_proof.proven([word], cells, proof=proof, today=NOW.date()) == ()
    named = consent_proof.proven([word], cells | {"text": "v1"}, proof=proof, today=NOW.date())
    assert [item.text_version for item in named] == ["v1"]


@pytest.mark.parametrize(("word", "still"), [("-", set()), ("n/a", {"A1"}), ("none", set())])
def test_g1_a_dictionary_says_what_a_placeholder_means(actor, tmp_path, word, still):
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y")])
    meanings = {"-": "N", "n/a": ""}
    columns = {
        "phone": "contact.phone",
        "sms": {"to": "consent.sms.marketing", "dictionary": meanings},
    }
    mapping = parse_mapping({"name": "words", "id_column": "id", "columns": columns})
    _load(actor, tmp_path, "second.csv", [person(1, sms=word)], mapping=mapping)
    assert _granted() == still
    assert UnclearConsent.objects.exists() == (word == "none")


def test_g1_a_word_that_cannot_be_read_is_a_finding(actor, tmp_path):
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y")])
    rejects = tmp_path / "rejects.csv"
    _load(actor, tmp_path, "second.csv", [person(1, sms="也许")], rejects=rejects)
    assert "flag_invalid" in rejects.read_text(encoding="utf-8-sig")


def test_g1_a_word_that_cannot_be_read_about_somebody_new_is_no_refusal(actor, tmp_path):
    _load(actor, tmp_path, "first.csv", [person(1, sms="也许"), person(2, sms="退订")])
    assert ConsentRecord.objects.count() == 1
    _load(actor, tmp_path, "second.csv", [person(1, sms="Y"), person(2, sms="Y")])
    states = ConsentState.objects.order_by("customer_id").values_list("is_granted", flat=True)
    assert list(states) == [True, False]


def test_g1_the_case_of_a_second_file_leaves_nobody_with_a_consent(actor, tmp_path, shared_data):
    mapping = parse_mapping(
        {
            "name": "case",
            "id_column": "客户号",
            "columns": {
                "姓名": "customer.name",
                "手机": "contact.phone",
                "短信同意": "consent.sms.marketing",
            },
        }
    )
    granted = []
    for name in ("consent_first.csv", "consent_second.csv"):
        path = shared_data / "cases_doors" / name
        order = ImportOrder(path=path, mapping=mapping, source="core")
        from_file.import_customers(actor=actor, order=order, now=NOW, today=NOW.date())
        granted.append(ConsentState.objects.filter(is_granted=True).count())
    assert granted == [5, 0]


@pytest.fixture
def unclear(actor, tmp_path):
    """A grant of one person that ended by a word that cannot be read."""
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y"), person(2, sms="Y")])
    _load(actor, tmp_path, "second.csv", [person(1, sms="也许"), person(2, sms="Y")])
    return UnclearConsent.objects.get()


def _decide(actor, row, decision, reason="asked the branch"):
    return unclear_consents.decide_unclear_consent(
        actor=actor, unclear_id=row.pk, decision=decision, reason=reason, now=NOW
    )


def test_g1_a_grant_that_a_word_ended_is_listed_with_the_line_that_brought_it(unclear):
    assert (unclear.channel, unclear.purpose, unclear.decision) == ("sms", "marketing", "")
    assert unclear.customer.external_id == "A1"
    assert unclear.evidence.startswith("import:")
    assert unclear.evidence.endswith(":2")


def test_g1_clear_refusals_and_words_about_new_people_are_not_listed(actor, tmp_path):
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y"), person(2, sms="也许")])
    _load(actor, tmp_path, "second.csv", [person(1, sms="N"), person(2, sms="N")])
    assert not UnclearConsent.objects.exists()


def test_g1_what_was_a_consent_is_put_back_with_its_text_and_end(actor, unclear):
    before = ConsentRecord.objects.get(customer=unclear.customer, is_granted=True)
    _decide(actor, unclear, UnclearDecision.GRANTED)
    again = ConsentRecord.objects.filter(customer=unclear.customer).latest("pk")
    assert again.is_granted
    assert (again.policy_version, again.expires_at) == (before.policy_version, before.expires_at)
    assert again.evidence == f"unclear:{unclear.pk}"
    assert _granted() == {"A1", "A2"}
    unclear.refresh_from_db()
    assert (unclear.decision, unclear.decided_by) == ("granted", actor.label)
    entry = AuditEntry.objects.get(action="consents.settle")
    assert entry.facts["reason"] == "asked the branch"


def test_g1_what_was_a_refusal_stays_one(actor, unclear):
    _decide(actor, unclear, UnclearDecision.REFUSED)
    assert _granted() == {"A2"}
    with pytest.raises(UnclearConsentRefused):
        _decide(actor, unclear, UnclearDecision.GRANTED)
    assert _granted() == {"A2"}


@pytest.mark.parametrize("door", ["file", "person"])
def test_g1_who_refuses_meanwhile_is_not_granted_again(actor, tmp_path, unclear, door):
    if door == "file":
        _load(actor, tmp_path, "third.csv", [person(1, sms="N"), person(2, sms="Y")])
    else:
        word = ConsentChange(unclear.customer_id, "sms", "marketing", False, "preference_centre")
        ledger.append_changes(changes=[word], now=NOW)
    unclear.refresh_from_db()
    assert unclear.decision == UnclearDecision.REFUSED
    with pytest.raises(UnclearConsentRefused):
        _decide(actor, unclear, UnclearDecision.GRANTED)
    assert _granted() == {"A2"}


def test_g1_who_agrees_again_oneself_settles_it_and_a_file_does_not(actor, tmp_path, unclear):
    _load(actor, tmp_path, "third.csv", [person(1, sms="Y"), person(2, sms="Y")])
    assert UnclearConsent.objects.get().decision == UnclearDecision.OPEN
    word = ConsentChange(unclear.customer_id, "sms", "marketing", True, "preference_centre")
    ledger.append_changes(changes=[word], now=NOW)
    assert UnclearConsent.objects.get().decision == UnclearDecision.GRANTED


def test_g1_of_a_person_who_was_merged_the_consent_is_put_back_too(actor, unclear):
    other = Customer.objects.get(external_id="A2")
    merging.merge(actor=actor, kept_id=other.pk, other_id=unclear.customer_id, now=NOW)
    unclear.refresh_from_db()
    assert unclear.customer == other
    _decide(actor, unclear, UnclearDecision.GRANTED)
    assert ConsentState.objects.get(customer=other).is_granted


def test_g1_nobody_decides_without_the_permission_or_a_reason(actor, unclear, django_user_model):
    stranger = user_actor(django_user_model.objects.create(username="stranger"))
    with pytest.raises(PermissionRefused):
        _decide(stranger, unclear, UnclearDecision.GRANTED)
    with pytest.raises(UnclearConsentRefused):
        _decide(actor, unclear, UnclearDecision.GRANTED, reason=" ")
    with pytest.raises(UnclearConsentRefused):
        _decide(actor, unclear, UnclearDecision.OPEN)
    assert _granted() == {"A2"}
