"""Quarantine in the admin and by command: what is shown, corrected and run again."""

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from customers.models import Customer, ImportBatch, RejectedRow
from loancrm.kernel import roles
from loancrm.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "external_id,name,id_card,birth_date,gender,phone,email,province,city,sms_consent"
REST = (
    ",email_consent,job,marital,education,default,housing,loan,contact,campaign,pdays,previous,"
    "poutcome,emp_var_rate,cons_price_idx,cons_conf_idx,euribor3m,nr_employed"
)
ROWS = [
    "E1,李平,,,,13800000001,,陕西省,西安市,Y" + "," * 17,
    ",王小明,,,,139,,北京市,北京市,Y" + "," * 17,
    ",欧阳春,,,,138,spring@,上海市,上海市,N" + "," * 17,
]


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def batch(client: Client) -> ImportBatch:
    content = "\n".join([HEADER + REST, *ROWS]) + "\n"
    form = {
        "file": SimpleUploadedFile("people.csv", content.encode()),
        "mapping": "campaign_bank",
        "mode": "upsert",
    }
    client.post(reverse("admin:customers_importbatch_add"), form)
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.rejected_count) == ("done", 2)
    return batch


def rows_url(batch: ImportBatch) -> str:
    return reverse("admin:customers_importbatch_quarantine", args=[batch.pk])


def row_url(batch: ImportBatch, line: int) -> str:
    row = RejectedRow.objects.get(batch=batch, line=line)
    return reverse("admin:customers_importbatch_repair", args=[batch.pk, row.pk])


def numbers(client: Client, url: str) -> dict[str, int]:
    page = client.get(url)
    return {cell["name"]: cell["number"] for cell in page.context["cells"]}


def test_s4_a_refused_row_shows_its_reasons_and_only_the_cells_in_question(
    client: Client, batch: ImportBatch
) -> None:
    shown = client.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))
    assert rows_url(batch) in shown.content.decode()
    listed = client.get(rows_url(batch)).content.decode()
    assert row_url(batch, 3) in listed
    page = client.get(row_url(batch, 4))
    text = page.content.decode()
    assert 'value="138"' in text
    assert 'value="spring@"' in text
    assert "电话号码无效" in text
    assert "没有任何可识别客户的信息" in text
    assert "欧阳春" not in text
    assert page["Cache-Control"].startswith("max-age=0")
    english = client.get(row_url(batch, 4), headers={"accept-language": "en"}).content.decode()
    assert "Not a valid telephone number" in english


def test_s4_a_row_is_corrected_in_the_admin(client: Client, batch: ImportBatch) -> None:
    url = row_url(batch, 3)
    number = numbers(client, url)
    answer = client.post(url, {f"cell{number['phone']}": "1390000"})
    assert answer["Location"] == url
    batch.refresh_from_db()
    assert batch.rejected_count == 2
    answer = client.post(
        url, {f"cell{number['phone']}": "13900000002", f"cell{number['name']}": ""}
    )
    assert answer["Location"] == rows_url(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.created_count, batch.rejected_count) == ("done", 2, 1)
    customer = Customer.objects.latest("id")
    assert customer.city == "北京"
    assert customer.name_index
    gone = client.get(url)
    assert gone["Location"] == rows_url(batch)


def test_a_correction_that_is_sent_is_no_further_look_at_the_row(
    client: Client, batch: ImportBatch
) -> None:
    url = row_url(batch, 3)
    number = numbers(client, url)
    last = AuditEntry.objects.latest("pk")
    assert last.action == "customers.rejected_row_opened"
    client.post(url, {f"cell{number['phone']}": "1390000"})
    written = AuditEntry.objects.filter(pk__gt=last.pk).values_list("action", flat=True)
    assert list(written) == ["customers.import_repair"]


def test_s4_all_rows_are_run_again_with_another_mapping(client: Client, batch: ImportBatch) -> None:
    definition = {
        "name": "lenient",
        "columns": {"name": "customer.name", "city": "customer.city"},
        "id_column": "name",
    }
    file = SimpleUploadedFile("m.json", json.dumps(definition).encode())
    client.post(reverse("admin:customers_savedmapping_add"), {"file": file})
    client.post(rows_url(batch), {"mapping": ""})
    batch.refresh_from_db()
    assert batch.rejected_count == 2
    client.post(rows_url(batch), {"mapping": "lenient"})
    batch.refresh_from_db()
    assert (batch.state, batch.rejected_count, batch.created_count) == ("done", 0, 3)
    empty = client.get(rows_url(batch)).content.decode()
    assert "隔离区为空" in empty


def test_who_may_not_import_sees_no_quarantine(client: Client, batch: ImportBatch) -> None:
    user = User.objects.create_user("analyst", is_staff=True)
    roles.ensure_roles()
    user.groups.add(Group.objects.get(name="analyst"))
    other = Client()
    other.force_login(user)
    assert other.get(rows_url(batch)).status_code == 403
    assert other.get(row_url(batch, 3)).status_code == 403
    assert other.post(row_url(batch, 3)).status_code == 403
    shown = other.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))
    assert rows_url(batch) not in shown.content.decode()


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("repair_import", *arguments, stdout=out)
    return out.getvalue()


def test_s4_the_command_lists_corrects_and_runs_again(batch: ImportBatch) -> None:
    number = str(batch.pk)
    listed = command(number, "--list").splitlines()
    assert [line.split("\t")[:2] for line in listed] == [
        ["3", "identity_missing"],
        ["4", "identity_missing"],
    ]
    report = json.loads(command(number, "--line", "3", "--set", "phone=13900000002", "--json"))
    assert report == {
        "tried": 1,
        "accepted": 1,
        "still_rejected": 0,
        "rows_in": 3,
        "rows_ok": 1,
        "rows_fixed": 1,
        "rows_quarantined": 1,
        "rows_open": 0,
    }
    assert json.loads(command(number, "--json"))["still_rejected"] == 1
    with pytest.raises(CommandError):
        command(number, "--set", "phone=1")
    with pytest.raises(CommandError):
        command("999999")
