"""The stop list is kept by hand with a reason, imported and exported."""

import csv
import json

import pytest
from django.core.management import call_command

from campaigns.models import Receipt, Suppression
from campaigns.selectors.receipts import targets
from campaigns.services.consents import stop_list_keeping
from campaigns.services.consents.stop_list_keeping import StopOrder, StopRefused
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LIST = "/admin/campaigns/suppression/"


def _file(tmp_path, rows, columns):
    path = tmp_path / "stops.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def test_e9_a_stop_by_hand_needs_a_reason_and_is_audited(actor, now):
    order = StopOrder(channel="sms", address="138 0013 8000")
    with pytest.raises(StopRefused):
        stop_list_keeping.add_by_hand(actor=actor, order=order, reason=" ", now=now)
    row = stop_list_keeping.add_by_hand(actor=actor, order=order, reason="called us", now=now)
    assert row.value_index == targets.address_index("+8613800138000")
    entry = AuditEntry.objects.get(action="stop.add")
    assert (entry.object_type, entry.object_id, entry.reason) == (
        "campaigns.Suppression",
        str(row.pk),
        "called us",
    )
    lifted = stop_list_keeping.lift(actor=actor, ids=[row.pk], reason="wrong number", now=now)
    assert lifted == 1
    assert not Suppression.objects.filter(lifted_at=None).exists()
    assert AuditEntry.objects.get(action="stop.lift").reason == "wrong number"


def test_e9_a_known_person_is_stopped_with_the_address(actor, now):
    (person,) = make_people(1)
    order = StopOrder(channel="email", address="P1@Example.com")
    stop_list_keeping.add_by_hand(actor=actor, order=order, reason="letter", now=now)
    assert Suppression.objects.get().customer_id == person.pk


@pytest.mark.parametrize(
    "order",
    [
        StopOrder(channel="sms", address="nobody"),
        StopOrder(channel="sms"),
        StopOrder(channel="pigeon", address="13800138000"),
        StopOrder(channel="sms", address="13800138000", purpose="fun"),
        StopOrder(channel="sms", address_index="x" * 10),
        StopOrder(channel="sms", customer="12\x00"),
    ],
)
def test_e9_what_names_nobody_is_refused(actor, now, order):
    with pytest.raises(StopRefused):
        stop_list_keeping.add_by_hand(actor=actor, order=order, reason="r", now=now)
    assert not Suppression.objects.exists()


def test_e9_a_file_of_addresses_goes_in_once_and_says_what_it_could_not_read(actor, now, tmp_path):
    rows = [["sms", "13800138000"], ["email", "a@example.com"], ["sms", "?"], ["", "b@example.com"]]
    path = _file(tmp_path, rows, ["channel", "address"])
    first, second = (
        stop_list_keeping.import_stops(actor=actor, path=path, source="old system", now=now)
        for _again in range(2)
    )
    assert (first.rows, first.added, first.known, first.rejected_lines) == (4, 3, 0, (4,))
    assert (second.rows, second.added, second.known, second.rejected) == (4, 0, 3, 1)
    assert set(Suppression.objects.values_list("reason", "source")) == {("imported", "old system")}


def test_e9_what_was_exported_holds_again_after_a_restore(actor, now, tmp_path, capsys):
    make_people(1)
    for order in (
        StopOrder(channel="email", address="p1@example.com"),
        StopOrder(channel="sms", address="13800138000"),
    ):
        stop_list_keeping.add_by_hand(actor=actor, order=order, reason="r", now=now)
    path = tmp_path / "stops.csv"
    call_command("export_stops", str(path), "--json")
    assert "example.com" not in path.read_text(encoding="utf-8")
    before = set(Suppression.objects.values_list("customer_id", "value_index", "channel"))
    Suppression.objects.all().delete()
    call_command("import_stops", str(path), "--json")
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0]) == {"rows": 2}
    assert json.loads(lines[1])["added"] == 2
    assert set(Suppression.objects.values_list("customer_id", "value_index", "channel")) == before


@pytest.mark.parametrize("body", [b"", b"a,b\n1,2\n", b'"channel,address\nsms,13800138000\n'])
def test_e9_a_file_that_is_no_stop_list_is_refused(actor, now, tmp_path, body):
    path = tmp_path / "stops.csv"
    path.write_bytes(body)
    with pytest.raises(StopRefused):
        stop_list_keeping.import_stops(actor=actor, path=path, source="x", now=now)


@pytest.mark.parametrize(
    "odd", [b'"sms,13800138001', b"sms,138\x0000138001", b"sms,13800138001,x", b"sms,\x00"]
)
def test_e1_a_row_that_cannot_be_read_costs_no_other_stop(actor, now, tmp_path, odd):
    path = tmp_path / "stops.csv"
    good = [f"sms,1380013900{number}".encode() for number in range(5)]
    path.write_bytes(b"\n".join([b"channel,address", *good[:3], odd, *good[3:], b""]))
    result = stop_list_keeping.import_stops(actor=actor, path=path, source="x", now=now)
    assert (result.rows, result.added, result.rejected_lines) == (6, 5, (5,))
    assert result.rows == result.added + result.known + result.rejected


def test_e9_keeping_the_list_needs_the_permission(now, tmp_path):
    order = StopOrder(channel="sms", address="13800138000")
    with pytest.raises(PermissionRefused):
        stop_list_keeping.add_by_hand(actor=None, order=order, reason="r", now=now)
    with pytest.raises(PermissionRefused):
        stop_list_keeping.lift(actor=None, ids=[1], reason="r", now=now)
    with pytest.raises(PermissionRefused):
        list(stop_list_keeping.export_stops(actor=None, now=now))


def test_e9_the_pages_add_and_end_a_stop(admin_client, now):
    form = {"address": "x", "channel": "sms", "purpose": "marketing", "why": "called us"}
    refused = admin_client.post(f"{LIST}add/", form)
    assert refused.status_code == 200
    assert not Suppression.objects.exists()
    assert admin_client.post(f"{LIST}add/", {**form, "address": "13800138000"}).status_code == 302
    row = Suppression.objects.get()
    assert row.reason == "by_hand"
    assert admin_client.get(f"{LIST}{row.pk}/change/").status_code == 200
    admin_client.post(f"{LIST}{row.pk}/change/", {"why": "a mistake"})
    row.refresh_from_db()
    assert row.lifted_at is not None
    page = admin_client.get(LIST).content.decode()
    assert "by_hand</" not in page
    assert ">by_hand" not in page


def test_b3_a_page_lists_what_waits_and_lets_it_be_settled(admin_client, now):
    channel = make_channel("sms")
    row = Receipt.objects.create(
        channel=channel,
        provider_event_id="r1",
        kind="replied",
        meaning="opt_out",
        is_refusal=True,
        occurred_at=now,
        received_at=now,
        problem="message_unknown",
    )
    address = "/admin/campaigns/receipt/"
    page = admin_client.get(address).content.decode()
    assert "message_unknown" not in page
    assert f"/admin/campaigns/receipt/{row.pk}/change/" in page
    assert admin_client.get(f"{address}{row.pk}/change/").status_code == 200
    admin_client.post(f"{address}{row.pk}/change/", {"why": "looked up, added by hand"})
    row.refresh_from_db()
    assert row.problem == "settled_by_hand"
    assert AuditEntry.objects.get(action="receipt.settle").reason == "looked up, added by hand"
