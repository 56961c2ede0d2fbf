"""The page of one channel: its account in words, its test, and the end of a block."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from campaigns.models import Channel
from campaigns.services.campaigns import authoring
from tests.factories.campaigns import make_channel, spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(admin_client):
    def get(channel):
        address = reverse("admin:campaigns_channel_change", args=[channel.pk])
        return admin_client.get(address, headers={"accept-language": "en"}).content.decode()

    return get


def test_a6_a_blocked_channel_says_so_and_goes_on_by_a_button(admin_client, page, now):
    channel = make_channel("sms")
    Channel.objects.filter(pk=channel.pk).update(blocked_at=now, blocked_reason="http_403")
    shown = page(channel)
    assert "The provider does not accept our login." in shown
    assert "http_403" not in shown
    home = admin_client.get("/admin/", headers={"accept-language": "en"}).content.decode()
    assert "is blocked: nothing is sent through it." in home
    admin_client.post(reverse("admin:campaigns_channel_reopen", args=[channel.pk]))
    channel.refresh_from_db()
    assert channel.blocked_at is None
    assert "The channel works again" not in page(channel)


def test_a3_the_page_says_in_words_whether_keys_count(page, admin_client, now):
    channel = make_channel("sms")
    assert "Does not count as remembering keys" in page(channel)
    Channel.objects.filter(pk=channel.pk).update(options={"supports_idempotency": True})
    assert "no test has shown it" in page(channel)
    Channel.objects.filter(pk=channel.pk).update(idempotency_shown_at=now)
    assert "Counts as remembering keys" in page(channel)


def test_the_test_of_a_channel_is_a_button(admin_client, page):
    channel = make_channel("sms")
    address = reverse("admin:campaigns_channel_test", args=[channel.pk])
    admin_client.post(address, {"to": "+8613800138000"})
    channel.refresh_from_db()
    assert channel.test_finding == "works"
    assert "Last test" in page(channel)


@pytest.mark.parametrize("rate", ["0", "-1", "0.5"])
def test_d_a_rate_of_nothing_is_refused_beside_its_field(admin_client, rate):
    filled = {
        "name": "SMS",
        "slug": "sms",
        "kind": "sms",
        "backend": "memory",
        "sender": "诚信",
        "cost_per_part": "0",
        "options": "{}",
    }
    address = reverse("admin:campaigns_channel_add")
    answer = admin_client.post(address, {**filled, "rate_per_second": rate})
    assert list(answer.context["form"].errors) == ["rate_per_second"]
    assert not Channel.objects.exists()
    assert admin_client.post(address, {**filled, "rate_per_second": "1"}).status_code == 302


def test_u23_a_channel_is_switched_off_and_on_on_its_page(admin_client):
    channel = make_channel("sms")
    address = reverse("admin:campaigns_channel_change", args=[channel.pk])
    filled = {"name": "SMS", "kind": "sms", "backend": "memory", "sender": "诚信",
              "cost_per_part": "0", "options": "{}"}  # fmt: skip
    for posted, is_active in ((filled, False), ({**filled, "is_active": "on"}, True)):
        assert admin_client.post(address, posted).status_code == 302
        channel.refresh_from_db()
        assert channel.is_active is is_active


def test_d_no_way_around_the_form_stores_a_rate_of_nothing():
    channel = make_channel("sms")
    with pytest.raises(IntegrityError), transaction.atomic():
        Channel.objects.filter(pk=channel.pk).update(rate_per_second=0)


def test_whoever_may_not_change_channels_tests_none(client, django_user_model):
    channel = make_channel("sms")
    client.force_login(django_user_model.objects.create_user("clerk", is_staff=True))
    client.post(
        reverse("admin:campaigns_channel_test", args=[channel.pk]), {"to": "+8613800138000"}
    )
    channel.refresh_from_db()
    assert channel.test_finding == ""


NEW = {
    "slug": "sms-main", "name": "短信主通道", "kind": "sms", "backend": "http_sms",
    "sender": "好借", "cost_per_part": "0.05", "options": '{"url": "https://sms.example.com/send"}',
}  # fmt: skip


@pytest.fixture
def add(admin_client):
    def post(**changes):
        address = reverse("admin:campaigns_channel_add")
        return admin_client.post(address, NEW | changes, headers={"accept-language": "en"})

    return post


def test_u4_a_slug_in_use_is_refused_beside_its_field(add):
    assert add().status_code == 302
    answer = add(backend="console", options="{}", name="Another")
    assert "There is a channel with the slug sms-main already" in answer.content.decode()
    assert answer.context["form"].errors["slug"]
    channel = Channel.objects.get(slug="sms-main")
    assert (channel.backend, channel.name) == ("http_sms", "短信主通道")


def test_u5_a_backend_carries_its_own_kinds_only(add):
    answer = add(backend="smtp", options="{}")
    assert "Mail relay (SMTP) carries E-mail only." in answer.content.decode()
    assert answer.context["form"].errors["backend"]
    assert not Channel.objects.exists()


def test_u6_no_backend_is_chosen_beforehand_and_empty_ones_say_so(admin_client, add):
    address = reverse("admin:campaigns_channel_add")
    shown = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "Shown in the log only (reaches nobody)" in shown
    assert 'value="console" selected' not in shown
    assert add(backend="").context["form"].errors["backend"]


@pytest.mark.parametrize(("backend", "is_marked"), [("console", True), ("smtp", False)])
def test_u6_a_campaign_that_reaches_nobody_says_so(admin_client, actor, now, backend, is_marked):
    make_channel(slug="email-memory", backend=backend)
    campaign = authoring.create_campaign(source=spec(), actor=actor, now=now)
    pages = [
        admin_client.get(reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk]))
        for name in ("change", "forecast")
    ]
    pages.append(admin_client.get(reverse("reports:campaign", args=[campaign.slug])))
    for page in pages:
        assert ("data-reaches-nobody" in page.content.decode()) is is_marked


def test_u40_who_saves_a_channel_second_is_told(admin_client):
    channel = make_channel("sms", "http_sms", options={"url": "https://sms.example.com/send"})
    address = reverse("admin:campaigns_channel_change", args=[channel.pk])
    seen = admin_client.get(address).context["seen"]
    mine = NEW | {"name": "Mine", "seen": seen}
    assert admin_client.post(address, mine).status_code == 302
    theirs = mine | {"name": "Theirs"}
    answer = admin_client.post(address, theirs, headers={"accept-language": "en"})
    shown = answer.content.decode()
    assert "Somebody else has saved this" in shown
    assert ("Name", "Mine") in [(str(k).capitalize(), v) for k, v in answer.context["stale_now"]]
    channel.refresh_from_db()
    assert channel.name == "Mine"
    again = theirs | {"seen": answer.context["seen"]}
    assert admin_client.post(address, again).status_code == 302
    channel.refresh_from_db()
    assert channel.name == "Theirs"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Postmark only: the stream of messages."), ("zh-hans", "仅 Postmark：消息流名称。")],
)
def test_g14_the_form_says_what_the_options_are(admin_client, language, words):
    address = reverse("admin:campaigns_channel_add")
    shown = admin_client.get(address, headers={"accept-language": language}).content.decode()
    assert words in shown
    assert "message_stream" in shown


def test_f54_the_form_refuses_an_endpoint_inside(add):
    options = '{"url": "https://169.254.169.254/latest"}'
    answer = add(backend="webhook", options=options)
    assert "is not a public address" in answer.content.decode()
    assert not Channel.objects.exists()
