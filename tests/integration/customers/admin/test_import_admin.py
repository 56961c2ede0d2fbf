"""Imports in admin: upload, progress, and what can be asked of a batch."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from customers.domain.values.quality import LIMIT_CODES, REJECTED_LIMIT
from customers.labels.imports import finding
from customers.models import Customer, ImportBatch, ImportFilePart
from customers.services.imports import drafts
from customers.services.sources import mappings
from loancrm.kernel import clock, roles
from loancrm.kernel.access import system_actor
from loancrm.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = "client_id;birth_number;district_id\n1;706213;18\n2;450204;1\n3;x;1\n"


@pytest.fixture
def client() -> Client:
    user = User.objects.create_superuser("boss")
    client = Client()
    client.force_login(user)
    return client


def upload(client: Client, **changes: Any) -> ImportBatch:
    form = {
        "file": SimpleUploadedFile("client.csv", CONTENT.encode()),
        "mapping": "berka_clients",
        "mode": "upsert",
    }
    answer = client.post(reverse("admin:customers_importbatch_add"), {**form, **changes})
    batch = ImportBatch.objects.latest("id")
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"].endswith(f"/{batch.pk}/change/")
    return batch


def address(batch: ImportBatch, name: str) -> str:
    return reverse("admin:customers_importbatch_act", args=[batch.pk, name])


def shown(client: Client, batch: ImportBatch) -> str:
    page = client.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))
    assert page.status_code == 200
    return page.content.decode()


def test_a3_an_upload_is_imported_by_a_worker(client: Client) -> None:
    batch = upload(client)
    assert (batch.state, batch.work.is_background, Customer.objects.count()) == ("done", True, 3)
    assert address(batch, "undo") in shown(client, batch)


def test_a3_a_running_import_shows_progress_and_can_be_paused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loancrm.kernel.work.service.enqueue", lambda *_a, **_k: None)
    batch = upload(client)
    text = shown(client, batch)
    assert "<progress" in text
    assert address(batch, "pause") in text
    client.post(address(batch, "pause"))
    batch.refresh_from_db()
    assert batch.work.requested_action == "pause"


def test_a7_an_undo_asks_back_and_needs_a_reason_in_the_trail(client: Client) -> None:
    batch = upload(client)
    page = client.get(address(batch, "undo"))
    assert page.status_code == 200
    assert Customer.objects.count() == 3
    client.post(address(batch, "undo"), {"reason": "wrong supplier"})
    batch.refresh_from_db()
    assert (batch.state, Customer.objects.count()) == ("undone", 0)
    entry = AuditEntry.objects.get(action="customers.import_undo_begun")
    assert (entry.reason, entry.actor_label) == ("wrong supplier", "boss")
    assert address(batch, "undo") not in shown(client, batch)


def test_a8_a_file_over_its_limits_is_stopped_shown_and_released(client: Client) -> None:
    batch = upload(client, limits_0="date_invalid", limits_1="10")
    assert (batch.state, Customer.objects.count()) == ("stopped", 0)
    text = shown(client, batch)
    assert "33.33%" in text
    assert "10%" in text
    client.post(address(batch, "release"), {"reason": "known"})
    batch.refresh_from_db()
    assert (batch.state, Customer.objects.count()) == ("done", 3)


def test_a8_limits_must_be_codes_with_percentages(client: Client) -> None:
    url = reverse("admin:customers_importbatch_add")
    for limits in (
        {"limits_0": "nonsense", "limits_1": "5"},
        {"limits_0": "phone_invalid"},
        {"limits_1": "5"},
        {"limits_0": "phone_invalid", "limits_1": "500"},
        {"limits_0": "rejected", "limits_1": "5", "limits_2": "rejected", "limits_3": "6"},
    ):
        file = SimpleUploadedFile("client.csv", CONTENT.encode())
        form = {"file": file, "mapping": "berka_clients", "mode": "upsert", **limits}
        answer = client.post(url, form)
        assert answer.status_code == 200
        assert "limits" in answer.context["form"].errors
    assert set(ImportBatch.objects.values_list("state", flat=True)) == {"draft"}


def test_f4_limits_are_chosen_and_findings_are_told_in_words(client: Client) -> None:
    add = reverse("admin:customers_importbatch_add")
    form = client.get(add, headers={"accept-language": "en"}).content.decode()
    assert re.search(r'<option value="date_invalid"\s*>\s*Not a valid date\s*</option>', form)
    assert "rejected=5" not in form
    batch = upload(client, limits_0="date_invalid", limits_1="5")
    assert (batch.state, batch.limits) == ("stopped", {"date_invalid": 0.05})
    page = reverse("admin:customers_importbatch_change", args=[batch.pk])
    for language, words in (("en", "Not a valid date"), ("zh-hans", "日期无效")):
        shown = client.get(page, headers={"accept-language": language}).content.decode()
        shown = re.sub(r'href="[^"]*"', "", shown)
        assert words in shown
        assert not {code for code in LIMIT_CODES if "_" in code and code in shown}
        with translation.override(language):
            assert finding(REJECTED_LIMIT) != REJECTED_LIMIT


def test_a7_who_may_not_import_may_not_undo(client: Client) -> None:
    batch = upload(client)
    user = User.objects.create_user("analyst", is_staff=True)
    roles.ensure_roles()
    user.groups.add(Group.objects.get(name="analyst"))
    other = Client()
    other.force_login(user)
    assert other.get(address(batch, "undo")).status_code == 403
    assert other.post(address(batch, "undo"), {"reason": "x"}).status_code == 403
    assert Customer.objects.count() == 3


def test_u10_findings_lead_to_their_lines_and_to_whom_they_became(client: Client) -> None:
    batch = upload(client)
    lines = reverse("admin:customers_importbatch_lines", args=[batch.pk, "date_invalid"])
    assert lines in shown(client, batch)
    page = client.get(lines).content.decode()
    person = Customer.objects.get(identity_links__external_id="3")
    assert "<td>4</td>" in page
    assert "birth_number" in page
    assert reverse("admin:customers_customer_change", args=[person.pk]) in page
    assert client.get(lines.replace("date_invalid", "nonsense")).status_code == 404


def test_u10_lines_of_findings_show_no_personal_data(client: Client) -> None:
    content = "客户号,姓名,手机\n1,李平,13800138001234\n2,王明,13800138002\n2,王明,13800138002\n"
    batch = mapped(client, content)
    code = "phone_invalid"
    page = client.get(reverse("admin:customers_importbatch_lines", args=[batch.pk, code]))
    text = page.content.decode()
    assert "<td>2</td>" in text
    assert "13800138001234" not in text
    assert "138*" in text
    again = reverse("admin:customers_importbatch_lines", args=[batch.pk, "duplicate"])
    assert "<td>4</td>" in client.get(again).content.decode()


def mapped(client: Client, content: str, **changes: str) -> ImportBatch:
    columns = {"姓名": "customer.name", "手机": "contact.phone"}
    mappings.save_mapping(
        actor=system_actor("test"),
        definition={
            "version": 1,
            "name": "supplier",
            "source": "supplier",
            "id_column": "客户号",
            "columns": columns,
        },
        now=clock.now(),
    )
    file = SimpleUploadedFile("supplier.csv", content.encode())
    return upload(client, file=file, mapping="supplier", **changes)


def test_u8_a_column_that_nobody_mapped_is_named_before_and_after(client: Client) -> None:
    content = "客户号,姓名,手机,月收入,空\n1,李平,13800138001,1.2万,\n2,王明,13800138002,,\n"
    check = mapped(client, content, is_dry_run="on")
    assert "月收入" in shown(client, check)
    assert check.mapping["left_out"] == ["月收入"]
    client.post(address(check, "import"))
    batch = ImportBatch.objects.latest("id")
    assert batch.mapping["left_out"] == ["月收入"]
    assert "月收入" in shown(client, batch)


def test_u11_what_was_checked_is_what_import_now_imports(client: Client) -> None:
    check = upload(client, is_dry_run="on", limits_0="date_invalid", limits_1="50")
    assert (check.state, check.is_dry_run, Customer.objects.count()) == ("done", True, 0)
    assert address(check, "import") in shown(client, check)
    assert "lcx-note" in shown(client, check)
    assert client.get(address(check, "import")).status_code == 200
    assert not Customer.objects.exists()
    answer = client.post(address(check, "import"))
    batch = ImportBatch.objects.latest("id")
    assert answer["Location"].endswith(f"/{batch.pk}/change/")
    assert (batch.state, batch.is_dry_run, Customer.objects.count()) == ("done", False, 3)
    for name in ("file_digest", "limits", "mode", "source", "file_name"):
        assert getattr(batch, name) == getattr(check, name)
    assert batch.mapping["content"] == check.mapping["content"]
    # Once: the file is with the import now, and gone after it.
    assert address(check, "import") not in shown(client, check)
    client.post(address(check, "import"))
    assert ImportBatch.objects.latest("id") == batch
    assert not ImportFilePart.objects.exists()


def test_u11_the_file_of_a_check_is_forgotten_after_a_week(client: Client) -> None:
    check = upload(client, is_dry_run="on")
    assert ImportFilePart.objects.filter(batch=check).exists()
    drafts.forget_old_drafts(now=check.created_at + timedelta(days=6))
    assert ImportFilePart.objects.filter(batch=check).exists()
    drafts.forget_old_drafts(now=check.created_at + timedelta(days=8))
    assert not ImportFilePart.objects.exists()
    assert ImportBatch.objects.filter(pk=check.pk).exists()


@pytest.mark.parametrize(("name", "is_masked"), [("client.csv", False), ("王小明.csv", True)])
def test_a_masked_name_is_explained_where_it_stands(
    client: Client, name: str, is_masked: bool
) -> None:
    batch = upload(client, file=SimpleUploadedFile(name, CONTENT.encode()))
    client.cookies.load({settings.LANGUAGE_COOKIE_NAME: "en"})
    page = shown(client, batch)
    assert ("masked by *" in page) == is_masked
    assert ("***" in batch.file_name) == is_masked
