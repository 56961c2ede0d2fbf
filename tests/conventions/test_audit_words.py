"""Every deed that the product writes into the audit trail can be read aloud in both languages."""

import ast
import re

import pytest
from django.utils import translation

from analytics.domain.discovery_choices import Method
from campaigns.domain.campaigns.campaign import CampaignStatus
from loancrm.kernel.words import audit_words
from tests.conventions import source

# What is put together where it is written, by the file that does.
_PUT_TOGETHER = {
    *(f"campaign.{status}" for status in set(CampaignStatus) - {CampaignStatus.IMPORTED}),
    *(f"work.{what}" for what in ("pause_requested", "resumed", "cancel_requested", "retried")),
    *(f"customers.mapping_{what}" for what in ("archived", "deleted")),
    *(
        f"message_template.{what}"
        for what in (
            *("created", "changed", "submitted", "approved", "rejected"),
            *("own_approval_refused", "switched_on", "switched_off"),
        )
    ),
    *(f"datasource.{what}" for what in ("added", "changed", "met")),
    *(f"discovery.{method}" for method in Method),
    *(f"partner_{kind}s_reported" for kind in ("event", "conversion")),
    *(f"protected_override.{what}" for what in ("recorded", "ended")),
    *(f"segment.export_{what}" for what in ("approved", "refused", "requested", "downloaded")),
}
_NAMES = re.compile(r"[a-z_]+(\.[a-z_]+)?")


def _actions() -> set[str]:
    """Return the deeds that are named where they are recorded, and those put together."""
    written = set(_PUT_TOGETHER)
    for file in source.files():
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            given = [k.value for k in node.keywords if k.arg == "action"]
            if name == "act.record":
                given += node.args[:1]
            if name.endswith(("_record", "_audit")):
                given += node.args[1:2]
            if "add_argument" in name:
                continue
            written |= {
                value.value
                for value in given
                if isinstance(value, ast.Constant)
                and isinstance(value.value, str)
                and _NAMES.fullmatch(value.value)
            }
    return written - _PARTS


# Second words of names that are put together.
_PARTS = {"submitted"}


def test_actions_are_found():
    assert len(_actions() - _PUT_TOGETHER) > 60


@pytest.mark.parametrize("action", sorted(_actions()))
def test_f4_a_deed_has_words(action):
    assert audit_words.is_known(action)
    with translation.override("en"):
        english = audit_words.action(action)
    with translation.override("zh-hans"):
        chinese = audit_words.action(action)
    assert english != chinese
    assert "_" not in english + chinese
    # The head of a column of times is no deed.
    assert not chinese.endswith("时间")
