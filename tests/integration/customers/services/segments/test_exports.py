"""One person asks, another agrees, the first downloads; masked unless both rights are there."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from customers.domain.exports import ExportState
from customers.models import ConsentState, ContactPoint, Customer, SegmentExport
from customers.selectors.segments import export as segment_export
from customers.services.segments import exports, versions
from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

EVERYBODY = {"combinator": "and", "rules": []}
PERMISSIONS = {
    "asker": ("export_customers", "view_segment"),
    "owner": ("export_customers", "view_segment", "export_unmasked", "approve_segmentexport"),
    "approver": ("approve_segmentexport", "view_segment"),
    "nobody": (),
}


@pytest.fixture
def who():
    found = {}
    for name, granted in PERMISSIONS.items():
        user = User.objects.create_user(name)
        user.user_permissions.set(Permission.objects.filter(codename__in=granted))
        found[name] = user_actor(User.objects.get(pk=user.pk))
    return found


def person(number, now, *, name="王小明", city="上海", phone="+8613800138000"):
    made = Customer(city=city, external_id=str(number), created_at=now, updated_at=now)
    made.name_sealed = crypto.vault().seal(Customer.NAME_COLUMN, made.public_id, name)
    made.save()
    point = ContactPoint(
        customer=made, kind="phone", value_index=f"i{number}", created_at=now, value_sealed=b""
    )
    point.value_sealed = crypto.vault().seal(ContactPoint.VALUE_COLUMN, point.row_key, phone)
    point.save()
    return made


@pytest.fixture
def segment(actor, now):
    first = person(1, now)
    person(2, now, name="=1+1", city="@北京", phone="+14155550100")
    ConsentState.objects.create(
        customer=first, channel="sms", purpose="marketing", is_granted=True, changed_at=now
    )
    return versions.create_segment(actor=actor, slug="all", name="全部", rule=EVERYBODY, now=now)


@pytest.fixture
def ask(who, segment, now):
    def ask_for(name="asker", columns=("name", "phone", "city"), **more):
        return exports.request_export(
            **{"actor": who[name], "segment": segment, "columns": columns, "reason": "给客服核对"}
            | {"now": now}
            | more
        )

    return ask_for


def read(file):
    text = b"".join(file.parts).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def download(actor, export, at):
    return exports.download_export(actor=actor, export_id=export.pk, now=at, today=at.date())


def test_an_export_is_masked_safe_and_traced_from_request_to_download(who, ask, now):
    export = ask(columns=("external_id", "name", "phone", "city", "sms_consent"))
    exports.approve_export(actor=who["approver"], export_id=export.pk, now=now, note="  好 的 ")
    with translation.override("en"):
        file = download(who["asker"], export, now)
    # The file is read later, when the language of the request is over.
    assert read(file) == [
        ["external id", "full name", "phone", "city", "consent to SMS marketing"],
        ["1", "王**", "'+86138****8000", "上海", "Yes"],
        ["2", "'=***", "'+14*******00", "'@北京", "No"],
    ]
    export.refresh_from_db()
    assert (export.state, export.row_count, export.download_count) == ("approved", 2, 1)
    assert export.expires_at == now + timedelta(hours=24)
    assert list(
        AuditEntry.objects.filter(action__startswith="segment.export")
        .order_by("pk")
        .values_list("action", "actor_label", "reason")
    ) == [
        ("segment.export_requested", "asker", "给客服核对"),
        ("segment.export_approved", "approver", "好 的"),
        ("segment.export_downloaded", "asker", ""),
    ]
    assert AuditEntry.objects.last().facts["columns"] == export.columns


def test_in_clear_only_with_the_permission_for_it(who, ask, now):
    with pytest.raises(PermissionRefused):
        ask(is_unmasked=True)
    export = ask("owner", is_unmasked=True)
    exports.approve_export(actor=who["approver"], export_id=export.pk, now=now)
    assert read(download(who["owner"], export, now))[1] == ["王小明", "'+8613800138000", "上海"]
    User.objects.get(username="owner").user_permissions.remove(
        Permission.objects.get(codename="export_unmasked")
    )
    with pytest.raises(PermissionRefused):
        download(user_actor(User.objects.get(username="owner")), export, now)


def test_nobody_decides_about_an_own_request_nor_twice(who, ask, now):
    export = ask("owner")
    for decide in (exports.approve_export, exports.refuse_export):
        with pytest.raises(exports.ExportNeedsSecondPerson):
            decide(actor=who["owner"], export_id=export.pk, now=now)
        with pytest.raises(exports.ExportNeedsSecondPerson):
            decide(actor=system_actor("job"), export_id=export.pk, now=now)
        with pytest.raises(PermissionRefused):
            decide(actor=who["asker"], export_id=export.pk, now=now)
    exports.refuse_export(actor=who["approver"], export_id=export.pk, now=now)
    with pytest.raises(exports.ExportNotOpen):
        exports.approve_export(actor=who["approver"], export_id=export.pk, now=now)
    with pytest.raises(exports.ExportNotOpen):
        download(who["owner"], export, now)


def test_only_the_asker_downloads_only_when_approved_and_only_in_time(who, ask, now):
    export = ask()
    with pytest.raises(exports.ExportNotOpen):
        download(who["asker"], export, now)
    exports.approve_export(actor=who["approver"], export_id=export.pk, now=now)
    with pytest.raises(PermissionRefused):
        download(who["owner"], export, now)
    with pytest.raises(PermissionRefused):
        download(system_actor("job"), export, now)
    last = now + exports.AVAILABLE_FOR
    assert len(read(download(who["asker"], export, last - timedelta(seconds=1)))) == 3
    with pytest.raises(exports.ExportNotOpen):
        download(who["asker"], export, last)


def test_who_may_not_is_refused_before_any_transaction(who, ask, now):
    export = ask()
    attempts = [
        lambda: exports.approve_export(actor=who["owner"], export_id=own.pk, now=now),
        lambda: exports.download_export(
            actor=who["owner"], export_id=export.pk, now=now, today=now.date()
        ),
    ]
    own = ask("owner")
    for attempt in attempts:
        with (
            CaptureQueriesContext(connection) as asked,
            pytest.raises((PermissionRefused, exports.ExportNeedsSecondPerson)),
        ):
            attempt()
        assert not any("SAVEPOINT" in query["sql"] for query in asked)


def test_a_rule_published_later_does_not_widen_what_was_agreed(who, ask, segment, actor, now):
    rule = {
        "combinator": "and",
        "rules": [{"field": "city", "operator": "=", "value": "上海"}],
    }
    versions.publish_version(actor=actor, segment=segment, rule=rule, now=now)
    segment.refresh_from_db()
    export = ask(segment=segment)
    versions.publish_version(actor=actor, segment=segment, rule=EVERYBODY, now=now)
    exports.approve_export(actor=who["approver"], export_id=export.pk, now=now)
    assert len(read(download(who["asker"], export, now))) == 2


@pytest.mark.parametrize(
    "wrong", [{"reason": " x "}, {"columns": ()}, {"columns": ("name", "password")}]
)
def test_a_request_without_reason_or_with_unknown_columns_is_refused(ask, wrong):
    with pytest.raises(exports.ExportRequestInvalid):
        ask(**wrong)
    assert not SegmentExport.objects.exists()


def test_who_may_not_export_asks_for_nothing(ask, segment, now):
    with pytest.raises(PermissionRefused):
        ask("nobody")
    with pytest.raises(PermissionRefused):
        ask("approver")
    with pytest.raises(exports.ExportRequestInvalid):
        ask(actor=system_actor("command:x"))


def test_the_number_of_queries_grows_by_pages_and_not_by_rows(
    who, ask, now, monkeypatch, django_assert_num_queries
):
    for number in range(10, 20):
        person(number, now, phone=f"+86138001380{number}")
    monkeypatch.setattr(segment_export, "_PAGE", 6)
    export = ask(columns=("name", "phone", "sms_consent"))
    exports.approve_export(actor=who["approver"], export_id=export.pk, now=now)
    file = download(who["asker"], export, now)
    # One for the customers, two for each of two pages, one for the number of rows.
    with django_assert_num_queries(6):
        assert len(read(file)) == 13


def test_the_command_takes_the_same_three_steps_in_two_names(who, segment, tmp_path, capsys):
    call_command(
        "export_segment", "--as", "asker", "--segment", "all", "--columns", "name,city",
        "--reason", "给客服核对", "--json",
    )  # fmt: skip
    number = str(SegmentExport.objects.get().pk)
    with pytest.raises(CommandError, match="permission_refused"):
        call_command("export_segment", "--as", "asker", "--approve", number)
    call_command("export_segment", "--as", "approver", "--approve", number)
    target = tmp_path / "people.csv"
    call_command("export_segment", "--as", "asker", "--write", number, "--out", str(target))
    assert target.read_text(encoding="utf-8-sig").splitlines()[1] == "王**,上海"
    assert SegmentExport.objects.get().state == ExportState.APPROVED
    assert f'"export": {number}' in capsys.readouterr().out
    with pytest.raises(CommandError, match="export_unknown"):
        call_command("export_segment", "--as", "approver", "--approve", "999999")
