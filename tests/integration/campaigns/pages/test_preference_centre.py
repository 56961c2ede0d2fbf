import random
import re
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client

from campaigns.channels import registry
from campaigns.domain.content import links
from campaigns.domain.content.links import LinkPurpose
from campaigns.domain.content.preference_links import (
    VALID_DAYS,
    preference_token,
    read_preference_token,
)
from campaigns.models import Message, Suppression
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch, providers
from customers.domain.consents.texts import PREFERENCE_TEXT
from customers.models import (
    ConsentRecord,
    ConsentState,
    Customer,
    Event,
    IdentityLink,
    PreferenceRecord,
    PrivacyRequest,
)
from customers.services.privacy import preferences
from loancrm.kernel import clock
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people
from tests.factories.sent import make_sent
from tests.factories.sources import make_source

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
EVERYTHING = ["email.marketing", "sms.marketing"]


@pytest.fixture(autouse=True)
def _clean():
    cache.clear()
    yield
    registry.close_all()


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def person():
    return make_people(1)[0]


def _url(customer, *, days_ago=0):
    signer = links.signer_for(django_settings.SECRET_KEY)
    made_on = clock.today() - timedelta(days=days_ago)
    return f"/p/{preference_token(signer, customer.pk, today=made_on)}/"


def _save(client, customer, *, consent=EVERYTHING, personalised="on", **fields):
    form = {"action": "save", "consent": consent, "personalised": personalised, **fields}
    return client.post(_url(customer), form)


def _rows():
    return [
        list(model.objects.order_by("pk").values())
        for model in (
            Customer, ConsentState, ConsentRecord, PreferenceRecord, PrivacyRequest, Suppression,
            Event, AuditEntry,
        )
    ]  # fmt: skip


def test_f10_looking_at_the_page_changes_nothing(client, person):
    before = _rows()
    for method in (client.get, client.head, client.options, client.put, client.delete):
        method(_url(person))
    assert client.get(_url(person)).status_code == 200
    assert _rows() == before


def test_f10_saving_what_is_so_already_changes_nothing(client, person):
    before = _rows()
    assert _save(client, person).status_code == 303
    assert _rows() == before


def test_f10_every_change_makes_a_ledger_row_and_an_event(client, person):
    wanted = ["email.marketing", "sms.service"]
    answer = _save(client, person, consent=wanted, pause="30", limit="2", personalised="")
    assert answer.status_code == 303
    consents = ConsentRecord.objects.order_by("channel", "purpose").values_list(
        "channel", "purpose", "is_granted", "source"
    )
    assert list(consents) == [
        ("sms", "marketing", False, "preference_centre"),
        ("sms", "service", True, "preference_centre"),
    ]
    granted = ConsentRecord.objects.get(is_granted=True)
    assert granted.policy_version == PREFERENCE_TEXT.version
    assert granted.evidence.startswith("lang=zh-hans;sha256=")
    person.refresh_from_db()
    assert person.weekly_message_limit == 2
    assert person.personalisation_allowed is False
    assert timedelta(days=29) < person.marketing_paused_until - clock.now() <= timedelta(days=30)
    ledger = dict(PreferenceRecord.objects.values_list("name", "value"))
    assert ledger == {
        "pause": person.marketing_paused_until.isoformat(),
        "weekly_limit": "2",
        "personalisation": "off",
    }
    events = Event.objects.order_by("type__name").values_list("type__name", "channel", "subject")
    assert list(events) == [
        ("opted_in", "sms", "service"),
        ("opted_out", "sms", ""),
        ("preferences_changed", "", "pause,personalisation,weekly_limit"),
    ]
    assert Suppression.objects.filter(customer=person, channel="sms").count() == 1
    assert AuditEntry.objects.filter(action="preferences.change").count() == 1


def test_f10_agreeing_again_ends_ones_own_stop_and_no_other(client, person):
    _save(client, person, consent=["email.marketing"])
    complaint = Suppression.objects.create(
        customer=person, channel="email", purpose="marketing", reason="complained", at=clock.now()
    )
    _save(client, person, consent=EVERYTHING)
    assert ConsentState.objects.filter(customer=person, is_granted=True).count() == 2
    assert list(Suppression.objects.filter(lifted_at__isnull=True)) == [complaint]
    assert ConsentRecord.objects.filter(channel="sms").count() == 2


def test_f10_a_break_ends_early_when_the_person_says_so(client, person):
    _save(client, person, pause="30")
    before = Customer.objects.get().marketing_paused_until
    _save(client, person, pause="keep")
    assert Customer.objects.get().marketing_paused_until == before
    _save(client, person, pause="")
    assert Customer.objects.get().marketing_paused_until is None
    assert PreferenceRecord.objects.filter(name="pause").count() == 2


@pytest.mark.parametrize(
    "form",
    [
        {"action": "delete everything"},
        {},
    ],
)
def test_f10_what_the_page_does_not_offer_is_refused_whole(client, person, form):
    before = _rows()
    assert client.post(_url(person), form).status_code == 400
    assert _rows() == before


@pytest.mark.parametrize(
    "odd",
    [
        {"consent": ["email.marketing", "sms.marketing?"]},
        {"consent": ["email.marketing", "wechat.marketing"]},
        {"consent": ["email.marketing"], "pause": "36500"},
        {"consent": ["email.marketing"], "limit": "99"},
        {"consent": ["email.marketing", "sms.service"], "pause": "x"},
    ],
)
def test_g1_what_cannot_be_read_keeps_no_consent_and_grants_none(client, person, odd):
    before = preferences.settings_of(person)
    answer = client.post(_url(person), {"action": "save", "personalised": "on", **odd})

    assert answer.status_code == 400
    assert "不再希望接收的内容已保存" in answer.content.decode()
    granted = ConsentState.objects.filter(is_granted=True).values_list("channel", "purpose")
    assert list(granted) == [("email", "marketing")]
    assert preferences.settings_of(Customer.objects.get()) == before
    client.post(_url(person), {"action": "save", **odd})
    assert Customer.objects.get().personalisation_allowed is False


def test_f10_a_forged_old_or_other_link_opens_nothing(client, person, actor, now):
    signer = links.signer_for(django_settings.SECRET_KEY)
    other = signer.token(LinkPurpose.UNSUBSCRIBE, message_id=person.pk)
    good = _url(person).split("/")[2]
    before = _rows()
    for token in (other, good[::-1], good[:-1] + ("A" if good[-1] != "A" else "B"), "x"):
        assert client.post(f"/p/{token}/", {"action": "save"}).status_code == 404
    assert client.get(_url(person, days_ago=VALID_DAYS + 1)).status_code == 404
    assert client.get(_url(person, days_ago=VALID_DAYS)).status_code == 200
    assert _rows() == before
    assert read_preference_token(signer, good, today=clock.today()) == person.pk


def test_f10_a_merged_customers_link_leads_to_whom_they_were_merged_into(client):
    old, new = make_people(2)
    Customer.objects.filter(pk=old.pk).update(merged_into=new)
    _save(client, old, consent=[])
    assert set(ConsentRecord.objects.values_list("customer_id", flat=True)) == {new.pk}


def test_f10_too_many_posts_are_held_back(client, person):
    codes = {_save(client, person).status_code for _again in range(25)}
    assert codes == {303, 429}


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", "您的偏好"), ("en", "Your preferences")]
)
def test_f10_the_page_speaks_both_languages_and_masks_what_we_hold(client, language, words):
    person = make_people(1, language=language)[0]
    page = client.get(_url(person)).content.decode()
    assert words in page
    assert "p***@example.com" in page
    assert "p1@example.com" not in page
    assert "客户1" not in page
    assert PREFERENCE_TEXT.read(language) in page


def test_k1_a_request_for_deletion_is_recorded_once_with_its_due_date(client, person):
    form = {"action": "deletion", "details": "请删除 13800138000", "confirmed": "yes"}
    for _again in range(3):
        client.post(_url(person), form)
    request = PrivacyRequest.objects.get()
    assert (request.kind, request.status) == ("deletion", "open")
    assert request.due_at - request.requested_at == timedelta(days=15)
    assert b"13800138000" not in bytes(request.details_sealed)
    details = crypto.vault().open(
        PrivacyRequest.DETAILS_COLUMN, request.row_key, request.details_sealed
    )
    assert details == "请删除 13800138000"
    entry = AuditEntry.objects.get(action="privacy.request")
    assert "13800138000" not in str(entry.facts)


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", "要请求删除吗？"), ("en", "Ask for deletion?")]
)
def test_k1_one_press_asks_again_before_a_deletion_is_recorded(client, person, language, words):
    before = _rows()
    url = f"{_url(person)}?lang={language}"
    asked = client.post(url, {"action": "deletion", "details": "<b>电话</b>"})

    page = asked.content.decode()
    assert asked.status_code == 200
    assert asked["Cache-Control"].startswith("no-store")
    assert words in page
    assert "&lt;b&gt;电话" in page
    assert "<b>" not in page
    assert "<script" not in page
    assert _rows() == before
    for odd in ("", "no", "YES"):
        assert client.post(url, {"action": "deletion", "confirmed": odd}).status_code == 200
    assert not PrivacyRequest.objects.exists()
    sent = dict(re.findall(r'name="(\w+)"\s+value="([^"]*)"', page))
    assert client.post(url, sent).status_code == 303
    assert PrivacyRequest.objects.get().kind == "deletion"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"title": "官网表单"}, "官网表单"),
        ({"kind": "own_form"}, "Own form"),
        ({"kind": "unregistered"}, "Another source"),
        (None, "Another source"),
    ],
)
def test_k3_the_page_names_sources_in_words_not_by_their_code(client, columns, words):
    person = make_people(1, source="web_form_x")[0]
    if columns is not None:
        make_source("web_form_x", **columns)
    page = client.get(f"{_url(person)}?lang=en").content.decode()
    assert words in page
    assert "web_form_x" not in page


def test_k3_where_a_person_told_us_is_named_too_and_so_is_what_is_no_code(client):
    person = make_people(1, source="lead_form")[0]
    IdentityLink.objects.create(
        customer=person, source="Bank of Spring", external_id="1", created_at=clock.now()
    )
    page = client.get(f"{_url(person)}?lang=en").content.decode()
    assert "Bank of Spring, Enquiry form" in page


def test_k3_a_copy_of_the_data_is_asked_for_on_the_page(client, person):
    client.post(_url(person), {"action": "access", "details": ""})

    assert PrivacyRequest.objects.get().kind == "access"
    page = client.get(f"{_url(person)}?lang=en").content.decode()
    assert "You asked us for a copy of your data" in page


def test_f10_the_unsubscribe_page_leads_to_the_preferences(client, actor, now):
    _channel, (message,) = make_sent(actor, now, count=1)
    signer = links.signer_for(django_settings.SECRET_KEY)
    token = signer.token(LinkPurpose.UNSUBSCRIBE, message_id=message.pk)
    page = client.get(f"/u/{token}/").content.decode()
    path = page.split('<a href="/p/')[1].split('"')[0]
    assert client.get(f"/p/{path}").status_code == 200


def test_f10_a_paused_person_is_skipped_for_that_reason_until_the_break_ends(actor, now):
    make_channel("sms")
    paused, back, other = make_people(3)
    Customer.objects.filter(pk=paused.pk).update(marketing_paused_until=now + timedelta(days=1))
    Customer.objects.filter(pk=back.pk).update(marketing_paused_until=now)
    make_launched(actor, now, channel="sms-memory", content=SMS)
    ticking.advance(now=now)
    dispatch.drain(holder="t", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    found = {m.customer_id: (m.state, m.reason) for m in Message.objects.all()}
    assert found[paused.pk] == ("skipped", "paused")
    assert found[back.pk][0] == found[other.pk][0] == "sent"


def test_f10_a_persons_own_limit_is_kept_beside_the_lenders(actor, now):
    _channel, messages = make_sent(actor, now, count=2, kind="sms")
    limited = messages[0].customer
    Customer.objects.filter(pk=limited.pk).update(weekly_message_limit=1)
    later = now + timedelta(days=6)
    run = make_launched(actor, later, slug="again", channel="sms-memory", content=SMS)
    ticking.advance(now=later)
    dispatch.drain(holder="t", clock=lambda: later, rng=random.Random(1), slice_seconds=60)
    found = {m.customer_id: (m.state, m.reason) for m in run.messages.all()}
    assert found[limited.pk] == ("skipped", "frequency_cap")
    assert found[messages[1].customer_id][0] == "sent"


def test_f10_a_text_may_carry_the_link_to_ones_own_preferences(client, actor, now):
    texts = {"zh-hans": {"text": "{{ name }}，偏好设置：{{ preferences_url }}"}}
    channel, (message, _other) = make_sent(actor, now, count=2, kind="sms", content=texts)
    sent = {one.message_id: one.payload.text for one in providers.provider_of(channel).delivered}
    token = sent[message.pk].split("/p/")[1].split("/")[0]
    signer = links.signer_for(django_settings.SECRET_KEY)
    assert read_preference_token(signer, token, today=clock.today()) == message.customer_id
