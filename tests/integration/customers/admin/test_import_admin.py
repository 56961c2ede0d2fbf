"""Imports in admin: upload, progress, and what can be asked of a batch."""

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.models import Customer, ImportBatch
from loancrm.kernel import roles
from loancrm.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = "client_id;birth_number;district_id\n1;706213;18\n2;450204;1\n3;x;1\n"


@pytest.fixture
def client() -> Client:
    user = User.objects.create_superuser("boss")
    client = Client()
    client.force_login(user)
    return client


def upload(client: Client, **changes: str) -> ImportBatch:
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
    assert (batch.state, batch.is_background, Customer.objects.count()) == ("done", True, 3)
    assert address(batch, "undo") in shown(client, batch)


def test_a3_a_running_import_shows_progress_and_can_be_paused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customers.services.imports_jobs.enqueue", lambda *_a, **_k: None)
    batch = upload(client)
    text = shown(client, batch)
    assert "<progress" in text
    assert address(batch, "pause") in text
    client.post(address(batch, "pause"))
    batch.refresh_from_db()
    assert batch.wish == "pause"


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
    batch = upload(client, limits="date_invalid=10")
    assert (batch.state, Customer.objects.count()) == ("stopped", 0)
    text = shown(client, batch)
    assert "33.33%" in text
    assert "10%" in text
    client.post(address(batch, "release"), {"reason": "known"})
    batch.refresh_from_db()
    assert (batch.state, Customer.objects.count()) == ("done", 3)


def test_a8_limits_must_be_codes_with_percentages(client: Client) -> None:
    url = reverse("admin:customers_importbatch_add")
    for limits in ("nonsense=5", "phone_invalid", "phone_invalid=500"):
        file = SimpleUploadedFile("client.csv", CONTENT.encode())
        form = {"file": file, "mapping": "berka_clients", "mode": "upsert", "limits": limits}
        answer = client.post(url, form)
        assert answer.status_code == 200
        assert "limits" in answer.context["form"].errors
    assert not ImportBatch.objects.exists()


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
