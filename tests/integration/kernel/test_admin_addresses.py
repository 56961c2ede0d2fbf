"""Addresses of admin pages that name no row."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
NO_KEYS = ("x", "9" * 30, "999999999")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_an_address_that_names_no_row_is_not_found(
    admin_client: Client, model: type[Model]
) -> None:
    meta = model._meta
    for key in NO_KEYS:
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[key])
        # Django's own pages go back to the index and say that the row is gone.
        assert admin_client.get(url).status_code in {302, 404}, key
