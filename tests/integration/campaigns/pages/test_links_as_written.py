"""A link that a person gets leads where its author wrote, whatever her telephone adds to it."""

import re

import pytest
from django.utils.encoding import iri_to_uri

from campaigns.channels import registry
from campaigns.models import LinkVisit, Suppression
from tests.factories.sent import SECRET, make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
PHONE = {"HTTP_USER_AGENT": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1"}
# A telephone makes everything up to the blank clickable.
CLICKABLE = re.compile(r"https?://[^ \n]+")


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def _text_sent(actor, now, text):
    make_sent(actor, now, count=1, kind="sms", content={"zh-hans": {"text": text}})
    outbox = registry.shared(name="sms-memory", backend="memory", options={"secret": SECRET})
    return outbox.delivered[-1].payload.text


def _path(address):
    return "/" + address.split("/", 3)[3]


@pytest.mark.parametrize(
    "target",
    [
        "https://lender.example/活动?id=1",
        "https://lender.example/p?a=1#还款日",
        "https://lender.example/a_(b)",
    ],
)
@pytest.mark.parametrize("after", ["", " 谢谢", "，谢谢", ")"])
def test_g2_the_click_leads_to_what_was_written_and_counts(client, actor, now, target, after):
    text = _text_sent(actor, now, f"您好，请看({target}{after}")
    clickable = CLICKABLE.search(text)[0]
    assert target not in clickable
    answer = client.get(_path(clickable), **PHONE)
    assert (answer.status_code, answer["Location"]) == (302, iri_to_uri(target))
    assert LinkVisit.objects.filter(is_bot=False).count() == 1


def test_g2_a_refusal_by_a_link_that_ran_on_counts(client, actor, now):
    text = _text_sent(actor, now, "您好，退订点{{ unsubscribe_url }}回T也行")
    clickable = CLICKABLE.search(text)[0]
    assert clickable.endswith("回T也行") or "回T" in clickable
    assert client.get(_path(clickable), **PHONE).status_code == 200
    assert client.post(_path(clickable)).status_code == 200
    assert Suppression.objects.get().reason == "opted_out"
