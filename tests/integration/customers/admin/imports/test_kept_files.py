"""A form with a file that comes back to its reader does not ask for the file once more."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.models import Customer, ImportBatch, ImportFilePart, SavedMapping
from customers.services.imports import drafts
from customers.services.sources import mappings
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)
# Too few characters to tell GB 18030 from its neighbours.
CONTENT = "客户号,姓名,手机\n1,李平,13800138001\n".encode("gb18030")
FORM = {"mapping": "supplier", "mode": "upsert"}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    mappings.save_mapping(
        actor=system_actor("test"),
        definition={
            "version": 1,
            "name": "supplier",
            "source": "supplier",
            "id_column": "客户号",
            "columns": {"姓名": "customer.name", "手机": "contact.phone"},
        },
        now=clock.now(),
    )
    return client


def sent(client: Client, page: str, **changes: Any) -> Any:
    url = reverse(f"admin:customers_importbatch_{page}")
    return client.post(url, FORM | changes)


def upload(content: bytes = CONTENT) -> SimpleUploadedFile:
    return SimpleUploadedFile("短.csv", content)


@pytest.mark.parametrize("page", ["add", "begin"])
def test_u9_an_encoding_that_cannot_be_told_is_asked_for_and_the_file_is_kept(
    client: Client, page: str
) -> None:
    answer = sent(client, page, file=upload())

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "GB18030" in str(answer.context["form"].errors["encoding"])
    assert "--encoding" not in text
    assert 'type="file"' not in text
    kept = ImportBatch.objects.get()
    assert f'name="kept" value="{kept.pk}"' in text
    parts = [bytes(part.content_sealed) for part in ImportFilePart.objects.all()]
    assert parts
    assert not any(b"13800138001" in part or CONTENT in part for part in parts)


def test_u9_the_kept_file_is_imported_with_the_encoding_that_is_chosen(client: Client) -> None:
    sent(client, "add", file=upload())
    kept = ImportBatch.objects.get()

    still = sent(client, "add", kept=kept.pk)
    assert "encoding" in still.context["form"].errors
    answer = sent(client, "add", kept=kept.pk, encoding="gb18030")

    batch = ImportBatch.objects.get()
    assert answer["Location"].endswith(f"/{batch.pk}/change/")
    assert (batch.state, batch.encoding, batch.source) == ("done", "gb18030", "supplier")
    assert batch.file_digest
    assert Customer.objects.count() == 1
    assert not ImportFilePart.objects.exists()


def test_u9_the_kept_file_is_mapped_with_the_encoding_that_is_chosen(client: Client) -> None:
    sent(client, "begin", file=upload())
    kept = ImportBatch.objects.get()

    # The list of imports leads to the same question.
    builder = reverse("admin:customers_importbatch_map", args=[kept.pk])
    assert 'name="encoding"' in client.get(builder).content.decode()
    wrong = client.post(builder, {"encoding": "utf-8"})
    assert wrong.status_code == 200
    answer = sent(client, "begin", kept=kept.pk, encoding="gb18030")

    assert answer["Location"] == builder
    assert [column["name"] for column in client.get(builder).context["columns"]] == [
        *("客户号", "姓名", "手机")
    ]
    kept.refresh_from_db()
    assert (kept.state, kept.encoding) == ("draft", "gb18030")


def test_u9_another_mistake_in_the_form_keeps_the_file_too(client: Client) -> None:
    content = CONTENT.decode("gb18030").encode()
    answer = sent(client, "add", file=upload(content), limits_1="5")
    assert "limits" in answer.context["form"].errors
    kept = ImportBatch.objects.get()

    assert sent(client, "add", kept=kept.pk, encoding="utf-8").status_code == 302
    assert Customer.objects.count() == 1


def test_u9_a_file_that_no_reader_knows_is_not_kept(client: Client) -> None:
    file = SimpleUploadedFile("notes.docx", CONTENT)
    answer = sent(client, "add", file=file)
    assert "file" in answer.context["form"].errors
    assert not ImportBatch.objects.exists()


def test_u9_a_kept_file_is_discarded_or_forgotten(client: Client) -> None:
    for end in ("discard", "forget"):
        sent(client, "add", file=upload())
        kept = ImportBatch.objects.get()
        if end == "discard":
            assert sent(client, "add", kept=kept.pk, do="discard").status_code == 302
            assert AuditEntry.objects.filter(action="customers.import_draft_discarded").exists()
        else:
            drafts.forget_old_drafts(now=kept.created_at + timedelta(days=8))
        assert not ImportBatch.objects.exists()
        assert not ImportFilePart.objects.exists()

    gone = sent(client, "add", kept=kept.pk, encoding="gb18030")
    assert "file" in gone.context["form"].errors
    assert not ImportBatch.objects.exists()


def test_u9_a_kept_file_is_imported_once(client: Client) -> None:
    sent(client, "add", file=upload())
    kept = ImportBatch.objects.get()
    sent(client, "add", kept=kept.pk, encoding="gb18030")
    again = sent(client, "add", kept=kept.pk, encoding="gb18030")
    assert again.status_code == 200
    assert ImportBatch.objects.count() == 1


def test_a_mapping_whose_name_is_taken_is_not_chosen_once_more(client: Client) -> None:
    url = reverse("admin:customers_savedmapping_add")
    definition = SavedMapping.objects.get().definition | {"columns": {"姓名": "customer.name"}}
    file = SimpleUploadedFile("supplier.json", json.dumps(definition).encode())
    asked = client.post(url, {"file": file})
    assert 'type="file"' not in asked.content.decode()

    answer = client.post(url, {"text": asked.context["carried"], "is_replacing": "on"})

    assert answer.status_code == 302
    assert SavedMapping.objects.get(is_current=True).version == 2
    assert "file" in client.post(url, {"note": "x"}).context["form"].errors
