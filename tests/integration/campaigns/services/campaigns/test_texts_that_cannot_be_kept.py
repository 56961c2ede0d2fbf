"""A text that nothing can be made of is refused in words when it is saved, and not stored (c5)."""

import re

import pytest
from django.utils import translation

from campaigns.models import Campaign, ContentVersion, Variant
from campaigns.services.campaigns import approval, authoring
from campaigns.services.campaigns.problems import CampaignRefused
from campaigns.services.content.writing import TextUnreadable
from tests.factories.campaigns import SMS, make_channel, revise_text, spec

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

TOO_MUCH = {
    "300 conditions": "{% if name %}" * 300 + "x" + "{% endif %}" * 300,
    "3,000 brackets": "{{ " + "(" * 3000 + "name" + ")" * 3000 + " }}",
    "7,000 negations": "{{ " + "not " * 7000 + "name }}",
    "10,000 attributes": "{{ name" + ".a" * 10_000 + " }}",
    "2,000 filters": "{{ name" + "|trim" * 2000 + " }}",
    "a number without end": "{{ " + "9" * 9000 + " }}",
    "a huge power": "{{ 10**999999999 }}",
    "a huge text": "{{ 'x' * 999999999 }}",
    "a huge loop": "{% for a in range(10**9) %}x{% endfor %}",
    "steps without end": "{% for a in products %}{% for b in products %}"
    + "{% if a.x is defined %}{% endif %}" * 60
    + "{% endfor %}{% endfor %}",
    "more than 32 kB": "长" * 20_000,
    "a NUL byte": "您好\0",
    "an escaped NUL byte": r"{{ '\x00' }}",
    "half a character": "您好\ud800",
    "an escaped half": r"{{ '\ud800' }}",
    "not closed": "{{ name",
}


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
@pytest.mark.parametrize("kind", ["sms", "email"])
def test_c5_a_new_campaign_with_such_a_text_is_refused_in_words(actor, now, text, kind):
    make_channel(kind)
    contents = {"sms": {"zh-hans": {"text": text}}}
    contents["email"] = {"zh-hans": {"subject": "您好", "text": "您好", "html": f"<p>{text}</p>"}}
    source = spec(channel=f"{kind}-memory", content=contents[kind])
    with (
        translation.override("zh-hans"),
        pytest.raises((CampaignRefused, TextUnreadable)) as refusal,
    ):
        authoring.create_campaign(source=source, actor=actor, now=now)
    # A NUL byte is refused with the description, before there is a text.
    assert re.search("(文本|活动)无法保存", str(refusal.value))
    assert not Campaign.objects.exists()
    assert not ContentVersion.objects.exists()


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_c5_such_a_revision_is_refused_and_the_text_before_stays(actor, now, text):
    make_channel("sms")
    source = spec(channel="sms-memory", content=SMS)
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    with pytest.raises((CampaignRefused, TextUnreadable)):
        revise_text(Variant.objects.get(), {"zh-hans": {"text": text}}, actor, now)
    (kept,) = ContentVersion.objects.all()
    assert kept.is_current
    assert kept.text == SMS["zh-hans"]["text"]
    assert approval.campaign_digest(campaign)


def test_c5_deep_html_is_refused(actor, now):
    make_channel()
    content = {"zh-hans": {"subject": "您好", "text": "您好", "html": "<div>" * 5000 + "x"}}
    with pytest.raises((CampaignRefused, TextUnreadable)):
        authoring.create_campaign(source=spec(content=content), actor=actor, now=now)
    assert not Campaign.objects.exists()


def test_c5_a_condition_that_loses_its_end_with_a_script_is_refused(actor, now):
    make_channel()
    html = "<p>{% if name %}a</p><script>{% endif %}</script>"
    content = {"zh-hans": {"subject": "您好", "text": "您好", "html": html}}
    with pytest.raises((CampaignRefused, TextUnreadable)):
        authoring.create_campaign(source=spec(content=content), actor=actor, now=now)
