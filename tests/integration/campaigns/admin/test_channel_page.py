"""The page of one channel: its account in words, its test, and the end of a block."""

import pytest
from django.urls import reverse

from campaigns.models import Channel
from tests.factories.campaigns import make_channel

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


def test_whoever_may_not_change_channels_tests_none(client, django_user_model):
    channel = make_channel("sms")
    client.force_login(django_user_model.objects.create_user("clerk", is_staff=True))
    client.post(
        reverse("admin:campaigns_channel_test", args=[channel.pk]), {"to": "+8613800138000"}
    )
    channel.refresh_from_db()
    assert channel.test_finding == ""
