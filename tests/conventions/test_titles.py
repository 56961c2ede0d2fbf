"""Rows that pages of the admin are about are named in words, not by their class."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

OURS = {"customers", "campaigns", "analytics", "kernel", "oauth2_provider"}
pytestmark = pytest.mark.django_db
MODELS = [model for model in admin.site._registry if model._meta.app_label in OURS]


def test_f4_the_stop_list_is_called_the_same_everywhere(admin_client):
    address = reverse("admin:campaigns_suppression_changelist")
    page = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "Stop list" in page
    assert "uppression" not in re.sub(r'(href|action|src|id|class|value|name)="[^"]*"', "", page)


@pytest.mark.parametrize("model", sorted(MODELS, key=lambda model: model.__name__))
def test_f4_a_row_is_not_named_after_its_class(model):
    assert model.__name__ not in str(model(pk=1))
