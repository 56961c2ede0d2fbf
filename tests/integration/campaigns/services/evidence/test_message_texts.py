"""The exact text that a person got stands, whatever changes afterwards."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.channels import registry
from campaigns.domain.sending.service_messages import ServiceKind
from campaigns.models import Channel, ContentVersion, Dispatch, Message, MessageText, TextMaster
from campaigns.selectors.evidence import texts
from campaigns.services.campaigns import ticking
from campaigns.services.evidence import message_texts, reading
from campaigns.services.sending import dispatch
from customers.models import Customer, Product
from customers.services.privacy import own_data, reveals
from customers.services.privacy.reveals import RevealRefused
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
_SMS = {"channel": "sms-memory", "content": SMS}


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def drain(now):
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)


def delivered(slug):
    return registry.shared(name=slug, backend="memory", options={}).delivered


def read(message, actor, now):
    kept = texts.texts_of(message)[0]
    return reading.read_text(actor=actor, text_id=kept.text_id, reason="complaint 17", now=now)


def test_f15_name_rate_and_template_change_and_the_old_text_stands(actor, now):
    make_channel("sms")
    [person] = make_people(1)
    listing = "{{ name }}：{% for p in products %}{{ p.name }}{{ p.cost_text }}{% endfor %}"
    rated = {"zh-hans": {"text": listing}}
    Product.objects.create(
        code="calm",
        name_zh="安心借",
        annual_rate=Decimal("0.12"),
        term_months=12,
        min_amount=10_000,
    )
    make_launched(actor, now, channel="sms-memory", content=rated)
    drain(now)
    [sent] = delivered("sms-memory")
    message = Message.objects.get()
    before = read(message, actor, now)
    assert before.text == sent.payload.text
    assert "客户1" in before.text
    assert "12.00%" in before.text

    sealed = crypto.vault().seal(Customer.NAME_COLUMN, person.public_id, "王改名")
    Customer.objects.update(name_sealed=sealed)
    Product.objects.update(annual_rate=Decimal("0.2"), name_zh="别的")
    ContentVersion.objects.update(text="完全不同")
    Channel.objects.update(sender="别的签名")
    later = now + timedelta(days=900)
    assert message_texts.forget_old(now=later) == 0
    assert read(message, actor, later) == before


def test_f15_an_email_is_kept_with_subject_and_both_bodies(actor, now):
    make_channel()
    make_people(2)
    make_launched(actor, now)
    drain(now)
    message = Message.objects.order_by("pk").first()
    kept = read(message, actor, now)
    assert kept.subject == "客户1，您好"
    assert "尊敬的客户1女士" in kept.text
    assert "<p>尊敬的客户1：<a href=" in kept.html
    assert TextMaster.objects.count() == 1
    masked = texts.texts_of(message)[0]
    assert "客户1" not in masked.subject + masked.text
    assert "{{ name }}" in masked.text
    assert b"\xe5\xae\xa2\xe6\x88\xb7" not in bytes(MessageText.objects.first().text_sealed)


def test_f15_whoever_got_nothing_has_no_text(actor, now):
    make_channel()
    people = make_people(3)
    make_launched(actor, now)
    Customer.objects.filter(pk=people[0].pk).update(marketing_status="dispute")
    drain(now)
    skipped = Message.objects.get(customer=people[0])
    assert skipped.state == "skipped"
    assert texts.texts_of(skipped) == []
    assert MessageText.objects.count() == 2


def test_f15_a_try_that_was_repeated_has_a_text_of_its_own(actor, now):
    make_channel("sms")
    make_people(1)
    make_launched(actor, now, **_SMS)
    drain(now)
    message = Message.objects.get()
    row = MessageText.objects.get()
    Message.objects.update(attempts=2)
    message.refresh_from_db()
    master = message_texts.Master(row.master_id, row.master.text.encode())
    again = message_texts.FinishedText(master, ("第二次",))
    rows = message_texts.sealed_rows(texts={(message.pk, 2): again}, now=now)
    MessageText.objects.bulk_create(rows)
    assert [text.attempt for text in texts.texts_of(message)] == [2, 1]
    assert read(message, actor, now).text == "第二次"


def test_f15_a_text_that_was_changed_is_found(actor, now):
    make_channel("sms")
    make_people(1)
    make_launched(actor, now, **_SMS)
    drain(now)
    message, row = Message.objects.get(), MessageText.objects.get()
    master = message_texts.Master(row.master_id, row.master.text.encode())
    [forged] = message_texts.sealed_rows(
        texts={(message.pk, 1): message_texts.FinishedText(master, ("伪造",))}, now=now
    )
    sealed = crypto.vault().seal(
        MessageText.TEXT_COLUMN,
        row.row_key,
        crypto.vault().open(MessageText.TEXT_COLUMN, forged.row_key, forged.text_sealed),
    )
    MessageText.objects.update(text_sealed=sealed)
    with pytest.raises(reading.TextDamaged):
        read(message, actor, now)


def test_f15_reading_takes_a_reason_and_a_permission_and_leaves_a_trace(actor, now):
    make_channel("sms")
    [person] = make_people(1)
    make_launched(actor, now, **_SMS)
    drain(now)
    kept = texts.texts_of(Message.objects.get())[0]
    with pytest.raises(RevealRefused):
        reading.read_text(actor=actor, text_id=kept.text_id, reason="", now=now)
    with pytest.raises(PermissionRefused):
        reading.read_text(
            actor=user_actor(User.objects.create_user("nobody")),
            text_id=kept.text_id,
            reason="curious",
            now=now,
        )
    assert not AuditEntry.objects.filter(action=reveals.READ_TEXT).exists()
    reading.read_text(actor=actor, text_id=kept.text_id, reason="complaint 17", now=now)
    entry = AuditEntry.objects.get(action=reveals.READ_TEXT)
    assert (entry.object_id, entry.reason) == (str(person.pk), "complaint 17")
    assert entry.facts["message"] == Message.objects.get().pk


def test_f15_own_data_has_the_texts_and_they_go_with_the_person(actor, now):
    make_channel("sms")
    people = make_people(2)
    make_launched(actor, now, **_SMS)
    drain(now)
    content = own_data.export_own_data(
        actor=actor, customer_id=people[0].pk, reason="request 17", now=now
    )
    [row] = content["tables"]["campaigns.messagetext"]["rows"]
    assert "客户1" in row["text"]
    Message.objects.filter(customer=people[0]).delete()
    assert MessageText.objects.count() == 1


def test_f15_texts_go_after_the_days_that_a_setting_asks_for(actor, now, settings):
    settings.LOANCRM_TEXT_DAYS = 30
    make_channel("sms")
    make_people(2)
    make_launched(actor, now, **_SMS)
    drain(now)
    assert message_texts.forget_old(now=now + timedelta(days=29)) == 0
    assert message_texts.forget_old(now=now + timedelta(days=31)) == 2
    assert not MessageText.objects.exists()


def test_f15_keeping_takes_one_statement_for_many_messages(actor, now):
    make_channel("sms")
    make_people(40)
    make_launched(actor, now, **_SMS)
    ticking.advance(now=now)
    with CaptureQueriesContext(connection) as asked:
        dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    written = [
        query["sql"]
        for query in asked.captured_queries
        if query["sql"].startswith('INSERT INTO "campaigns_messagetext"')
    ]
    assert MessageText.objects.count() == 40
    assert 1 <= len(written) < 10


def test_f15_one_time_codes_are_not_kept(actor, now):
    make_channel("sms")
    make_people(1)
    launched = make_launched(actor, now, **_SMS)
    Dispatch.objects.filter(pk=launched.pk).update(
        purpose="service", product_kind="service", service_kind=ServiceKind.ONE_TIME_CODE
    )
    drain(now)
    assert Message.objects.get().state == "sent"
    assert not MessageText.objects.exists()
