"""Every list says what it is, and an empty one what is missing or what comes next."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from loancrm.kernel.admin.read_only import ThemedAdmin

pytestmark = pytest.mark.django_db

OWN = {
    model: model_admin
    for model, model_admin in admin.site._registry.items()
    if isinstance(model_admin, ThemedAdmin)
}


def _address(model) -> str:
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    except NoReverseMatch:
        return ""


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_empty_list_has_a_name_and_a_sentence_or_a_next_step(language):
    client = Client(headers={"accept-language": language})
    client.force_login(User.objects.create_superuser("root"))
    seen = 0
    for model in OWN:
        address = _address(model)
        if not address:
            continue
        answer = client.get(address)
        page = answer.content.decode()
        changelist = answer.context.get("cl") if answer.context else None
        if answer.status_code != 200 or changelist is None or changelist.result_count:
            continue
        seen += 1
        with translation.override(language):
            name = str(model._meta.verbose_name_plural)
            plain = translation.gettext("Nothing here yet")
        assert changelist.title.lower() == name.lower(), address
        head = re.search(r"<title>(.*?)</title>", page, re.DOTALL).group(1)
        assert not re.search(r"选择|Select ", head), address
        state = re.search(
            rf"(?:lcx-empty|{re.escape(plain)}).{{20,}}?(?:<p[^>]*>\s*(.*?)\s*</p>)",
            page,
            re.DOTALL,
        )
        assert state, address
        assert len(re.sub(r"<[^>]+>", "", state.group(1)).strip()) >= 6, address
    assert seen >= 15
