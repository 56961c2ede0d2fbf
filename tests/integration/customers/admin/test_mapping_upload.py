"""A mapping from a file replaces none of the same name unless somebody says so."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from customers.models import SavedMapping

pytestmark = pytest.mark.django_db


def _definition(target):
    return {
        "version": 1, "name": "supplier", "source": "supplier", "id_column": "id",
        "columns": {"a": target},
    }  # fmt: skip


@pytest.fixture
def upload(admin_client):
    def post(target, **given):
        text = json.dumps(_definition(target)).encode()
        data = {"file": SimpleUploadedFile("m.json", text), "note": "", **given}
        address = reverse("admin:customers_savedmapping_add")
        return admin_client.post(address, data, headers={"accept-language": "en"})

    return post


def test_u4_a_file_replaces_no_mapping_of_its_name_without_being_told_so(upload):
    assert upload("customer.name").status_code == 302
    answer = upload("customer.city")
    assert "There is a mapping supplier already" in answer.content.decode()
    assert answer.context["form"].errors["is_replacing"]
    assert SavedMapping.objects.get().version == 1
    assert upload("customer.city", is_replacing="on").status_code == 302
    assert SavedMapping.objects.filter(is_current=True).get().version == 2
