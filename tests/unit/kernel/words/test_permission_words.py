"""What somebody may not do is told in words of one language."""

import re

import pytest
from django.utils import translation

from loancrm.kernel import access
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.words import permission_words, phrases

ASKED = (
    "campaigns.launch_campaign",
    "campaigns.add_suppression",
    "customers.import_customers",
    "customers.view_customer",
    "analytics.add_discoverymodel",
    "auth.change_user",
    "kernel.view_auditentry",
)


@pytest.mark.parametrize("permission", ASKED)
def test_d_a_missing_permission_is_told_in_one_language(permission):
    for language, foreign in (("en", r"[\u4e00-\u9fff]"), ("zh-hans", r"[A-Za-z]{2,}")):
        with translation.override(language), pytest.raises(PermissionRefused) as refused:
            access.require(None, permission)
        assert not re.search(foreign, refused.value.message), refused.value.message
        assert refused.value.facts["permission"] == permission


def test_d_a_stored_refusal_is_read_in_the_other_language():
    with translation.override("zh-hans"), pytest.raises(PermissionRefused) as refused:
        access.require(None, "campaigns.launch_campaign")
    stored = phrases.write(refused.value.message)
    with translation.override("en"):
        assert phrases.read(stored).startswith("You do not have permission for this action (")
        assert not re.search(r"[\u4e00-\u9fff]", phrases.read(stored))


@pytest.mark.parametrize("name", ["nosuch.thing", "campaigns.nosuch", "campaigns", ""])
def test_what_no_model_knows_stays_as_it_is(name):
    assert permission_words.named(name) == name
