"""A template is shown as it would be sent, with its parts and their price, for nobody real."""

from decimal import Decimal

import pytest

from campaigns.domain.content.written import TextSpec
from campaigns.models import Dispatch, Message, TrackedLink
from campaigns.services.requests import template_previews, templates
from campaigns.services.requests.template_previews import TemplatePreview
from tests.factories.campaigns import make_channel
from tests.factories.templates import make_author, template_spec

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def template_of(channel, now, **changes):
    spec = template_spec(channel, **changes)
    return templates.create_template(spec=spec, actor=make_author(), now=now)


def test_an_sms_is_shown_with_its_signature_parts_and_price(now):
    channel = make_channel("sms")
    channel.cost_per_part = Decimal("0.05")
    channel.save()
    short = template_of(channel, now)
    # 70 characters fit into one message, 67 into each part of a longer one.
    long = template_of(channel, now, slug="long", text="验" * 70 + "{{ code }}")

    (one,) = template_previews.preview_template(template=short, now=now)
    (two,) = template_previews.preview_template(template=long, now=now)

    assert one == TemplatePreview(
        "zh-hans",
        text=f"【{channel.sender}】您的验证码是‹code›，五分钟内有效。",
        parts=1,
        cost=Decimal("0.05"),
    )
    assert (two.parts, two.cost) == (2, Decimal("0.10"))
    assert not Dispatch.objects.exists()
    assert not Message.objects.exists()


def test_an_email_is_shown_in_each_language_and_leaves_no_link_behind(now):
    texts = (
        TextSpec(locale="zh-hans", subject="账单 {{ month }}", text="{{ name }}，您好", html=""),
        TextSpec(
            locale="en",
            subject="Statement {{ month }}",
            text="Dear {{ name }}, see https://lender.example/statement",
            html="",
        ),
    )
    template = template_of(
        make_channel("email"), now, texts=texts, variables=("month",), service_kind="notice"
    )
    found = template_previews.preview_template(template=template, now=now)
    shown = {each.language: each for each in found}
    assert shown["zh-hans"].subject == "账单 ‹month›"
    assert "王芳" in shown["zh-hans"].text
    assert shown["en"].subject == "Statement ‹month›"
    assert "Fang Wang" in shown["en"].text
    assert not TrackedLink.objects.exists()
