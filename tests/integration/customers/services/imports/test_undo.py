"""Undo of an import: what was there before comes back, what came since stays."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from campaigns.models import Suppression
from customers.models import (
    AttributeValue,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    Event,
    EventType,
    IdentityLink,
    ImportBatch,
    ImportChange,
)
from customers.selectors.imports import traces
from customers.services.imports import jobs
from customers.services.imports.undo import UndoRefused
from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.work import service
from tests.integration.customers.import_rows import NOW, Load, card, loader, opened, person
from tests.kills import let_claims_run_out

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
LATER = NOW + timedelta(days=1)
MUCH_LATER = NOW + timedelta(days=2)
ACTOR = system_actor("test")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return loader(tmp_path)


def undo(batch_id: int | None) -> ImportBatch:
    assert batch_id is not None
    jobs.undo(actor=ACTOR, batch_id=batch_id, reason="wrong file", now=MUCH_LATER)
    return ImportBatch.objects.get(pk=batch_id)


def everything() -> dict[str, object]:
    return {customer.external_id: opened(customer) for customer in Customer.objects.all()}


def test_a7_undo_restores_every_prior_value(load: Load) -> None:
    load([person(1), person(2, sms="Y")])
    before = everything()
    links = set(IdentityLink.objects.values_list("external_id", "customer"))
    changed = [
        person(1, name="王新", city="上海", income="2000", phone="13912345678", sms="Y",
               card=card(3), born=""),
        person(2, email="new@example.com", city="", income="5"),
        person(3),
    ]  # fmt: skip
    report = load(changed, now=LATER)
    assert (report.created, report.updated) == (1, 2)
    assert everything() != before
    batch = undo(report.batch_id)
    assert everything() == before
    assert set(IdentityLink.objects.values_list("external_id", "customer")) == links
    assert batch.state == "undone"
    assert batch.undo["deleted"] == 1
    assert (batch.undo["kept"], batch.undo["kept_customers"]) == (0, 0)
    assert not ImportChange.objects.filter(outcome="").exists()


def test_a7_undo_keeps_and_lists_what_was_edited_later(load: Load) -> None:
    load([person(1), person(2)])
    report = load([person(1, city="上海", income="2000"), person(2, city="北京")], now=LATER)
    one = Customer.objects.get(external_id="A1")
    Customer.objects.filter(pk=one.pk).update(city="广州")
    batch = undo(report.batch_id)
    one.refresh_from_db()
    assert one.city == "广州"
    assert AttributeValue.objects.get(customer=one).number == Decimal(1000)
    assert Customer.objects.get(external_id="A2").city == "西安"
    assert (batch.undo["restored"], batch.undo["kept"]) == (2, 1)
    assert traces.surviving_changes(batch_id=batch.pk, limit=10) == [(one.pk, "field", "city")]


def test_a7_undo_keeps_created_customers_that_are_in_use(load: Load) -> None:
    report = load([person(1), person(2), person(3)])
    load([person(2, city="上海")], now=LATER)
    used = Customer.objects.get(external_id="A3")
    login = EventType.objects.get_or_create(name="app_login")[0]
    Event.objects.create(
        customer=used, type=login, source="app", occurred_at=LATER, received_at=LATER
    )
    batch = undo(report.batch_id)
    assert sorted(Customer.objects.values_list("external_id", flat=True)) == ["A2", "A3"]
    assert batch.undo["deleted"] == 1
    listed = traces.surviving_customers(batch_id=batch.pk, limit=10)
    assert [line for line, _ in listed] == [3, 4]


def test_a7_undo_never_widens_consent(load: Load) -> None:
    load([person(1, sms="Y"), person(2)])
    report = load([person(1, sms="N"), person(2, sms="Y")], now=LATER)
    batch = undo(report.batch_id)
    one, two = Customer.objects.order_by("external_id")
    assert not ConsentState.objects.get(customer=one).is_granted
    assert not ConsentState.objects.filter(customer=two).exists()
    last = ConsentRecord.objects.filter(customer=two).latest("id")
    assert (last.is_granted, last.evidence) == (False, f"undo:{batch.pk}")
    assert batch.undo["kept"] == 1


def test_a7_the_same_file_works_again_after_its_undo(load: Load) -> None:
    load([person(1)])
    rows = [person(1, city="上海", phone="13912345678", sms="Y"), person(2)]
    undo(load(rows, now=LATER).batch_id)
    report = load(rows, now=MUCH_LATER + timedelta(days=1))
    assert (report.created, report.updated, report.by_reason) == (1, 1, {})
    assert ContactPoint.objects.filter(is_primary=True).count() == 2


def test_a7_undo_goes_on_after_it_was_killed(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    from customers.services.imports import undo as imports_undo  # noqa: PLC0415 - patched below

    load([person(serial) for serial in range(1, 7)])
    before = everything()
    report = load([person(s, city="上海") for s in range(1, 7)] + [person(9)], now=LATER)
    monkeypatch.setattr(imports_undo, "_PAGE", 2)
    restore, calls = imports_undo.restore, []

    def die_in_second_page(**arguments: object) -> None:
        calls.append(1)
        restore(**arguments)  # type: ignore[arg-type]
        if len(calls) == 2:
            raise SystemExit

    monkeypatch.setattr(imports_undo, "restore", die_in_second_page)
    with pytest.raises(SystemExit):
        undo(report.batch_id)
    assert ImportChange.objects.filter(outcome="restored").count() == 2
    assert service.wake() == 0
    let_claims_run_out()
    later = LATER + timedelta(minutes=3)
    assert service.wake() == 1
    jobs.run_import(batch_id=report.batch_id or 0, now=later, today=later.date())
    assert everything() == before
    assert ImportBatch.objects.get(pk=report.batch_id).state == "undone"


def test_undo_needs_permission_and_is_possible_once(load: Load) -> None:
    report = load([person(1)])
    with pytest.raises(PermissionRefused):
        jobs.undo(
            actor=user_actor(User.objects.create_user("nobody")),
            batch_id=report.batch_id or 0,
            reason="",
            now=LATER,
        )
    assert Customer.objects.count() == 1
    batch = undo(report.batch_id)
    with pytest.raises(UndoRefused):
        undo(batch.pk)
    entry = AuditEntry.objects.get(action="customers.import_undo_begun")
    assert (entry.reason, entry.object_id) == ("wrong file", str(batch.pk))


def test_a7_undo_keeps_a_customer_who_is_suppressed_since(load: Load) -> None:
    report = load([person(1), person(2)])
    held = Customer.objects.get(external_id="A2")
    Suppression.objects.create(customer=held, reason="complaint", at=LATER)
    assert undo(report.batch_id).undo["kept_customers"] == 1
    assert Customer.objects.get() == held
