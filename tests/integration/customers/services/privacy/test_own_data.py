"""Everything stored about one person, for the person."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from campaigns.models import MessageVariables, SoftBounce, Suppression
from customers.models import (
    Customer,
    Event,
    EventType,
    IdentityLink,
    Instalment,
    Loan,
    PrivacyRequest,
)
from customers.services.identity import merging
from customers.services.privacy import own_data, reveals
from customers.services.privacy.reveals import RevealRefused
from loancrm.kernel import access
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _export(person: Customer, actor: Any, now: Any) -> dict[str, Any]:
    return own_data.export_own_data(
        actor=actor, customer_id=person.pk, reason="request 17", now=now
    )


def _pointing_at_customers() -> set[str]:
    relations = Customer._meta.get_fields(include_hidden=True)
    return {
        relation.related_model._meta.label_lower
        for relation in relations
        if isinstance(relation, models.ManyToOneRel)
    }


def test_k3_every_table_that_points_at_a_person_is_in_the_file(actor, now) -> None:
    person = make_people(1)[0]

    found = _export(person, actor, now)

    parts = {"customers.instalment", "customers.repayment", "customers.tradeline"}
    assert set(found["tables"]) >= _pointing_at_customers() | parts
    assert {"customers.event", "campaigns.message"} <= set(found["tables"])


def test_k3_values_are_whole_and_nobody_elses_are_in_it(actor, now) -> None:
    person, other = make_people(2)
    kind = EventType.objects.get_or_create(name="app_login")[0]
    for owner in (person, other):
        Event.objects.create(
            customer=owner,
            type=kind,
            occurred_at=now,
            received_at=now,
            source="app",
            dedup_key=str(owner.pk),
        )
        IdentityLink.objects.create(
            source="bank", external_id=f"B{owner.pk}", customer=owner, created_at=now
        )

    found = _export(person, actor, now)

    text = json.dumps(found, cls=DjangoJSONEncoder, ensure_ascii=False)
    assert found["customer"]["name"] == "客户1"
    points = found["tables"]["customers.contactpoint"]["rows"]
    assert {row["value"] for row in points} >= {"p1@example.com"}
    assert [row["type"] for row in found["tables"]["customers.event"]["rows"]] == ["app_login"]
    assert "p2@example.com" not in text
    assert f"B{other.pk}" not in text
    assert not [name for row in points for name in row if name.endswith(("_index", "_sealed"))]


def test_k3_parts_of_a_persons_rows_are_in_the_file_once(actor, now) -> None:
    person, other = make_people(2)
    for owner in (person, other):
        loan = Loan.objects.create(
            customer=owner,
            source="bank",
            external_id=f"L{owner.pk}",
            principal_amount=100,
            term_months=1,
            disbursed_on=now.date(),
        )
        Instalment.objects.create(loan=loan, number=1, due_on=now.date(), principal_amount=100)
    make_channel()
    point = person.contact_points.first()
    message = make_launched(actor, now).messages.get(customer=person)
    MessageVariables.objects.create(message=message, values_sealed=b"code", created_at=now)
    SoftBounce.objects.create(message=message, contact_point=point, code="4.2.2", at=now)

    tables = _export(person, actor, now)["tables"]

    assert [row["loan"] for row in tables["customers.instalment"]["rows"]] == [
        str(Loan.objects.get(customer=person))
    ]
    assert len(tables["campaigns.softbounce"]["rows"]) == 1
    assert "campaigns.messagevariables" not in tables


def test_k3_merged_records_and_stops_on_an_address_belong_to_the_person(actor, now) -> None:
    person, other, stranger = make_people(3)
    index = person.contact_points.get(kind="email").value_index
    Suppression.objects.create(value_index=index, reason="bounced", at=now)
    elsewhere = stranger.contact_points.get(kind="email").value_index
    Suppression.objects.create(value_index=elsewhere, reason="bounced", at=now)
    request = PrivacyRequest(
        customer=other, kind="correction", requested_at=now, due_at=now + timedelta(days=15)
    )
    request.details_sealed = crypto.vault().seal(
        PrivacyRequest.DETAILS_COLUMN, request.row_key, "旧地址"
    )
    request.save()
    merging.merge(actor=actor, kept_id=person.pk, other_id=other.pk, now=now)

    tables = _export(person, actor, now)["tables"]

    assert len(tables["campaigns.suppression"]["rows"]) == 1
    assert [row["details"] for row in tables["customers.privacyrequest"]["rows"]] == ["旧地址"]
    assert [row["id"] for row in tables["customers.customer"]["rows"]] == [other.pk]


def test_k3_it_is_a_look_with_permission_reason_limit_and_trace(
    actor, now, django_user_model, monkeypatch
) -> None:
    person = make_people(1)[0]
    reader = access.user_actor(django_user_model.objects.create_user("reader"))
    with pytest.raises(PermissionRefused):
        _export(person, reader, now)
    with pytest.raises(RevealRefused):
        own_data.export_own_data(actor=actor, customer_id=person.pk, reason=" ", now=now)
    assert not AuditEntry.objects.exists()
    monkeypatch.setattr(reveals, "MOST_AN_HOUR", 1)

    found = _export(person, actor, now)

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("customer.export_own_data", "request 17")
    assert [look["action"] for look in found["looked_at"]] == ["customer.export_own_data"]
    with pytest.raises(RevealRefused):
        reveals.reveal(actor=actor, customer_id=person.pk, reason="again", now=now)


def test_k3_the_command_writes_a_file_for_its_owner_only(tmp_path: Path) -> None:
    person = make_people(1)[0]
    target = tmp_path / "own.json"

    call_command("export_own_data", str(person.pk), str(target), "--reason", "request 17")

    assert json.loads(target.read_text(encoding="utf-8"))["customer"]["name"] == "客户1"
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError):
        call_command("export_own_data", str(person.pk), str(target), "--reason", "request 17")
    with pytest.raises(CommandError):
        call_command("export_own_data", "0", str(tmp_path / "no.json"), "--reason", "request 17")
