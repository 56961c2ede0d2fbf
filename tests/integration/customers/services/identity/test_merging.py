"""Merging customers, and parting them again as if nothing had happened."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Value
from django.db.models.functions import Concat
from django.forms.models import model_to_dict

from campaigns.models import Message, Suppression
from campaigns.services.consents import preferences
from customers.domain.consents.consent import ConsentFact, is_in_force
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    Event,
    EventType,
    IdentityLink,
    Loan,
    Merge,
    MergeDecision,
    PastProfile,
    SurvivorshipRule,
)
from customers.services.consents import ledger
from customers.services.events import lifecycle
from customers.services.identity import merging
from loancrm.kernel import access
from loancrm.kernel.access import Actor, PermissionRefused
from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people
from tests.integration.customers.import_rows import Load, card, loader, opened, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
EARLIER = datetime(2025, 6, 1, tzinfo=UTC)
LATER = timedelta(hours=1)


def named(number: str, customer: Customer) -> None:
    vault = crypto.vault()
    customer.national_id_sealed = vault.seal(
        Customer.NATIONAL_ID_COLUMN, customer.public_id, number
    )
    customer.national_id_index = vault.blind_index(Customer.NATIONAL_ID_COLUMN, number)


def attribute(customer: Customer, name: str, value: str, source: str, at: datetime) -> None:
    definition, _ = AttributeDefinition.objects.get_or_create(
        name=name, defaults={"value_type": "text"}
    )
    AttributeValue.objects.create(
        customer=customer, definition=definition, text=value, source=source, updated_at=at
    )


@pytest.fixture
def pair() -> tuple[Customer, Customer]:
    """Two customers: the other knows more and has more behind it."""
    kept, other = make_people(2)
    Customer.objects.filter(pk=kept.pk).update(city="西安", birth_date=None, source="crm")
    other.city, other.province, other.source = "武汉", "湖北", "bank"
    other.personalisation_allowed = False
    named("11010519491231002X", other)
    other.save()
    attribute(kept, "job", "nurse", "crm", EARLIER)
    attribute(other, "job", "doctor", "bank", EARLIER + LATER)
    attribute(other, "grade", "A", "bank", EARLIER)
    kind = EventType.objects.get_or_create(name="app_login")[0]
    for number, owner in enumerate((kept, other, other)):
        Event.objects.create(
            customer=owner,
            type=kind,
            occurred_at=EARLIER,
            received_at=EARLIER,
            source="app",
            dedup_key=str(number),
        )
    Loan.objects.create(
        source="bank",
        external_id="L1",
        customer=other,
        principal_amount=Decimal(1000),
        term_months=12,
        disbursed_on=date(2025, 1, 1),
    )
    IdentityLink.objects.create(source="bank", external_id="B2", customer=other, created_at=EARLIER)
    ConsentState.objects.filter(customer=other, channel="sms").update(
        is_granted=False, changed_at=EARLIER
    )
    ConsentState.objects.create(
        customer=other, channel="push", purpose="marketing", is_granted=True, changed_at=EARLIER
    )
    lifecycle.refresh_stages(customer_ids=[kept.pk, other.pk], now=EARLIER + LATER)
    return Customer.objects.get(pk=kept.pk), Customer.objects.get(pk=other.pk)


def picture(customer: Customer) -> dict[str, Any]:
    """Everything stored about a customer but when its row was last touched."""
    row = Customer.objects.get(pk=customer.pk)
    columns = {
        field.attname: bytes(value)
        if isinstance(value := getattr(row, field.attname), memoryview)
        else value
        for field in Customer._meta.concrete_fields
        if field.name not in {"updated_at", "changed_at"}
    }
    return {
        "columns": columns,
        **{
            name: sorted(
                (model_to_dict(item) | {"pk": item.pk} for item in getattr(row, name).all()),
                key=lambda item: item["pk"],
            )
            for name in (
                *("contact_points", "attribute_values", "consent_states", "events", "loans"),
                *("identity_links", "applications"),
            )
        },
        "messages": sorted(Message.objects.filter(customer=row).values_list("pk", flat=True)),
    }


def test_a12_merge_gathers_everything_at_the_kept_customer(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)

    kept.refresh_from_db()
    other.refresh_from_db()
    assert other.merged_into_id == kept.pk
    assert list(Customer.objects.live()) == [kept]
    # Blanks are filled, own values stay.
    assert (kept.city, kept.province, kept.birth_date) == ("西安", "湖北", date(1990, 1, 1))
    assert kept.personalisation_allowed is False
    assert opened(kept)["number"] == "11010519491231002X"
    values = dict(kept.attribute_values.values_list("definition__name", "text"))
    assert values == {"job": "nurse", "grade": "A"}
    # One more event tells that the survivor entered a stage; it is derived anew, not moved.
    assert kept.events.exclude(source="lifecycle").count() == 3
    assert (kept.loans.count(), kept.identity_links.count()) == (1, 1)
    points = kept.contact_points.order_by("pk").values_list("kind", "is_primary")
    assert list(points) == [("email", True), ("phone", True), ("email", False), ("phone", False)]
    assert audit.verify().is_intact


def test_a12_consents_end_narrowest_and_the_ledger_says_why(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    record = merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)

    states = dict(kept.consent_states.values_list("channel", "is_granted"))
    assert states == {"email": True, "sms": False, "push": True}
    entries = ConsentRecord.objects.filter(customer=kept, source="merge").order_by("channel")
    assert [(row.channel, row.is_granted, row.evidence) for row in entries] == [
        ("push", True, f"merge:{record.pk}"),
        ("sms", False, f"merge:{record.pk}"),
    ]


def test_a12_s66_merge_then_split_restores_every_field_of_both(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    before = [picture(customer) for customer in pair]
    kept, other = pair
    record = merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    undone = merging.unmerge(actor=actor, merge_id=record.pk, now=now + LATER)

    assert undone.later_edits == []
    assert [picture(customer) for customer in pair] == before
    assert audit.verify().is_intact
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["customers.merge", "customers.unmerge"]


def test_f42_edits_between_merge_and_split_are_kept_and_listed(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    before = [picture(customer) for customer in pair]
    record = merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    Customer.objects.filter(pk=kept.pk).update(province="陕西")
    moved_point = other_point(before)
    ContactPoint.objects.filter(pk=moved_point).update(status="bounced")
    Loan.objects.update(dpd_days=5)

    undone = merging.unmerge(actor=actor, merge_id=record.pk, now=now + LATER)

    assert undone.later_edits == [
        {"model": "customers.customer", "id": kept.pk, "column": "province"}
    ]
    after = [picture(customer) for customer in pair]
    assert after[0]["columns"] == before[0]["columns"] | {"province": "陕西"}
    assert after[1]["columns"] == before[1]["columns"]
    # A row that was edited goes back with its edit.
    assert after[1]["loans"][0]["dpd_days"] == 5
    assert ContactPoint.objects.get(pk=moved_point).customer_id == other.pk
    assert ContactPoint.objects.get(pk=moved_point).status == "bounced"
    assert after[0]["consent_states"] == before[0]["consent_states"]


def other_point(before: list[dict[str, Any]]) -> int:
    return int(before[1]["contact_points"][0]["pk"])


def test_a12_what_arrived_meanwhile_is_listed_and_stays(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    record = merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    event = Event.objects.create(
        customer=kept,
        type=EventType.objects.get(name="app_login"),
        occurred_at=now,
        received_at=now,
        source="app",
        dedup_key="since",
    )
    IdentityLink.objects.create(source="web", external_id="W", customer=kept, created_at=now)

    record = merging.unmerge(actor=actor, merge_id=record.pk, now=now)

    assert {item["model"]: (item["count"], item["ids"]) for item in record.arrived} == {
        "customers.event": (1, [event.pk]),
        "customers.identitylink": (1, [IdentityLink.objects.get(source="web").pk]),
    }
    event.refresh_from_db()
    assert event.customer_id == kept.pk
    entry = AuditEntry.objects.get(action="customers.unmerge")
    assert entry.facts["arrived"] == 2


def test_f42_a_withdrawal_after_the_merge_holds_for_both(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    record = merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    ledger.withdraw(
        actor=actor,
        withdrawals=[ledger.Withdrawal(kept.pk, "email", "marketing", "unsubscribe_link")],
        now=now + LATER,
    )
    merging.unmerge(actor=actor, merge_id=record.pk, now=now + 2 * LATER)

    for customer in pair:
        state = customer.consent_states.get(channel="email")
        fact = ConsentFact(state.is_granted, state.changed_at, state.expires_at)
        assert not is_in_force(fact, now=now + 3 * LATER)


def test_a12_the_past_of_an_attribute_goes_along_where_the_kept_customer_has_none(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    for each in pair:
        rows = AttributeValue.objects.filter(customer=each)
        rows.update(text=Concat("text", Value("+")), updated_at=EARLIER + 2 * LATER)
        Customer.objects.filter(pk=each.pk).update(occupation="nurse")

    def past(owner: Customer) -> list[tuple[str, str]]:
        rows = owner.past_attributes.order_by("definition__name", "pk")
        return list(rows.values_list("definition__name", "text"))

    assert (past(kept), past(other)) == (
        [("job", "nurse")],
        [("grade", "A"), ("job", "doctor")],
    )
    record = merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    grades = [text for name, text in past(kept) if name == "grade"]
    assert grades == ["A"], "the only past of this attribute"
    assert ("job", "doctor") in past(other), "each keeps its own, as it keeps its own value"
    assert PastProfile.objects.filter(customer=other).exists()

    undone = merging.unmerge(actor=actor, merge_id=record.pk, now=now + LATER)
    assert past(other)[0] == ("grade", "A")
    assert "grade" not in dict(past(kept))
    assert undone.arrived == []


def test_a12_values_survive_by_field_and_source(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    SurvivorshipRule.objects.create(field="city", prefer="source", sources=["bank", "crm"])
    SurvivorshipRule.objects.create(field="attribute.job", prefer="newest")
    before = [picture(customer) for customer in pair]
    record = merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)

    kept.refresh_from_db()
    assert kept.city == "武汉"
    assert kept.attribute_values.get(definition__name="job").text == "doctor"
    merging.unmerge(actor=actor, merge_id=record.pk, now=now + LATER)
    assert [picture(customer) for customer in pair] == before


def test_a12_messages_go_along_and_a_second_one_of_a_dispatch_stays(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    make_channel()
    shared = make_launched(actor, now)
    alone = make_launched(actor, now, slug="summer")
    alone.messages.filter(customer=kept).delete()
    assert shared.messages.count() == 2
    before = [picture(customer) for customer in pair]
    record = merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    assert set(shared.messages.values_list("customer_id", flat=True)) == {kept.pk, other.pk}
    assert list(alone.messages.values_list("customer_id", flat=True)) == [kept.pk]
    merging.unmerge(actor=actor, merge_id=record.pk, now=now + LATER)
    assert [picture(customer) for customer in pair] == before


def test_f42_an_opt_out_by_an_old_message_stops_the_person_that_is_left(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    make_channel()
    run = make_launched(actor, now)
    merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    stayed = run.messages.get(customer=other)
    preferences.opt_out(actor=actor, message_id=stayed.pk, source="unsubscribe_link", now=now)
    assert not kept.consent_states.get(channel="email").is_granted
    assert Suppression.objects.filter(customer=kept, channel="email").exists()


def test_a12_a_chain_of_merges_is_taken_back_from_its_end(actor: Actor, now: datetime) -> None:
    one, two, three = make_people(3)
    before = [picture(customer) for customer in (one, two, three)]
    first = merging.merge(actor=actor, kept_id=two.pk, other_id=one.pk, now=now)
    second = merging.merge(actor=actor, kept_id=three.pk, other_id=two.pk, now=now)
    one.refresh_from_db()
    assert one.merged_into_id == three.pk
    with pytest.raises(merging.UnmergeRefused) as refused:
        merging.unmerge(actor=actor, merge_id=first.pk, now=now)
    assert refused.value.facts == {"reason": "kept_merged_since"}
    merging.unmerge(actor=actor, merge_id=second.pk, now=now)
    merging.unmerge(actor=actor, merge_id=first.pk, now=now)
    assert [picture(customer) for customer in (one, two, three)] == before
    with pytest.raises(merging.UnmergeRefused):
        merging.unmerge(actor=actor, merge_id=first.pk, now=now)


def test_two_different_national_ids_are_never_merged(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    named(card(7), kept)
    kept.save()
    with pytest.raises(merging.MergeRefused) as refused:
        merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    assert refused.value.facts == {"reason": "two_national_ids"}
    assert not Merge.objects.exists()
    assert Customer.objects.live().count() == 2


def test_merging_needs_the_permission(pair: tuple[Customer, Customer], now: datetime) -> None:
    kept, other = pair
    reader = access.user_actor(User.objects.create_user("reader"))
    with pytest.raises(PermissionRefused):
        merging.merge(actor=reader, kept_id=kept.pk, other_id=other.pk, now=now)
    assert not Merge.objects.exists()


def test_a12_kept_apart_is_not_proposed_again(
    pair: tuple[Customer, Customer], actor: Actor, now: datetime
) -> None:
    kept, other = pair
    decision = MergeDecision.objects.create(
        kept=kept, other=other, matched_by="phone", created_at=now
    )
    merging.keep_apart(actor=actor, decision_id=decision.pk, now=now)
    decision.refresh_from_db()
    assert (decision.state, decision.decided_by) == ("refused", "test")
    with pytest.raises(merging.MergeRefused):
        merging.keep_apart(actor=actor, decision_id=decision.pk, now=now)


def test_f43_a_recycled_phone_brings_no_consent_of_its_former_owner(tmp_path: Path) -> None:
    load: Load = loader(tmp_path)
    load([person(1, sms="Y")])
    report = load([person(1, id="A2", name="王芳", born="1999-01-01")])

    assert report.by_reason == {"contact_shared": 1}
    newcomer = Customer.objects.get(external_id="A2")
    assert not newcomer.consent_states.exists()
    # The number stays the former owner's for messages until somebody decides otherwise.
    assert not newcomer.contact_points.get(kind="phone").is_primary
    assert not MergeDecision.objects.exists()
