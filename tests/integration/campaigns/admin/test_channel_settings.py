"""Channels are set up by fields; secrets are entered once and never shown again."""

import pytest
from django.urls import reverse

from campaigns.models import Channel
from campaigns.services.sending import providers
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

MAIL = {
    "name": "Mail",
    "slug": "mail",
    "kind": "email",
    "backend": "smtp",
    "sender": "Lender <news@lender.example>",
    "cost_per_part": "0",
    "options": "{}",
    "option_smtp_": "1",
    "option_smtp_host": "mail.lender.example",
    "option_smtp_port": "587",
    "option_smtp_security": "starttls",
    "option_smtp_verify_certificate": "on",
    "option_smtp_use_pipelining": "on",
    "option_smtp_use_chunking": "on",
}
ENGLISH = {"accept-language": "en"}


def _add(client, **changes):
    return client.post(reverse("admin:campaigns_channel_add"), {**MAIL, **changes}, headers=ENGLISH)


def _page(client, channel):
    address = reverse("admin:campaigns_channel_change", args=[channel.pk])
    return client.get(address, headers=ENGLISH)


def test_g1_fields_become_the_options_that_the_backend_checks(admin_client):
    assert _add(admin_client).status_code == 302
    assert Channel.objects.get().options == {
        "host": "mail.lender.example",
        "port": 587,
        "security": "starttls",
    }


def test_g1_a_switch_that_is_off_is_stored(admin_client):
    data = {name: value for name, value in MAIL.items() if name != "option_smtp_use_chunking"}
    admin_client.post(reverse("admin:campaigns_channel_add"), data)
    assert Channel.objects.get().options["use_chunking"] is False


def test_g1_a_value_that_cannot_work_is_refused(admin_client):
    answer = _add(admin_client, option_smtp_port="70000")
    assert "out of range" in answer.content.decode()
    assert not Channel.objects.exists()


def test_g1_a_word_is_refused_beside_a_field_of_numbers(admin_client):
    answer = _add(admin_client, option_smtp_port="many")
    assert list(answer.context["form"].errors) == ["option_smtp_port"]


def test_g1_what_an_expert_writes_is_kept_beside_the_fields(admin_client):
    _add(admin_client, options='{"host": "other.example", "webhook_secret": "env:HOME"}')
    channel = Channel.objects.get()
    assert channel.options == {"host": "other.example", "webhook_secret": "env:HOME"}
    page = _page(admin_client, channel)
    form = page.context["form"]
    sent = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}
    sent |= {
        "seen": page.context["seen"],
        "option_smtp_host": "third.example",
        "options": '{"host": "other.example", "webhook_secret": "env:HOME"}',
    }
    address = reverse("admin:campaigns_channel_change", args=[channel.pk])
    answer = admin_client.post(address, sent)
    assert answer.status_code == 302
    channel.refresh_from_db()
    assert channel.options == {"host": "third.example", "webhook_secret": "env:HOME"}


def test_g1_a_secret_is_entered_once_sealed_and_never_shown(admin_client):
    _add(admin_client, secret="correct horse", option_smtp_username="news")
    channel = Channel.objects.get()
    assert b"correct horse" not in bytes(channel.secret_sealed)
    sealed = bytes(channel.secret_sealed)
    shown = _page(admin_client, channel).content.decode()
    assert "correct horse" not in shown
    assert "A secret is stored and sealed." in shown
    assert "correct horse" not in str(list(AuditEntry.objects.values_list("facts", flat=True)))
    # Saved again without it, it stays.
    address = reverse("admin:campaigns_channel_change", args=[channel.pk])
    assert (
        admin_client.post(address, {**MAIL, "name": "Other", "is_active": "on"}).status_code == 302
    )
    channel.refresh_from_db()
    assert (channel.name, bytes(channel.secret_sealed)) == ("Other", sealed)
    assert providers.provider_of(channel) is not None


def test_g1_the_page_shows_what_provider_and_domain_are_told(admin_client):
    _add(admin_client)
    shown = _page(admin_client, Channel.objects.get()).content.decode()
    assert "/hooks/mail/" in shown
    assert "v=spf1 a:mail.lender.example ~all" in shown
    assert "selector._domainkey.lender.example" in shown
    assert "v=DMARC1; p=none; rua=mailto:postmaster@lender.example" in shown


def test_g1_names_of_options_stand_with_the_experts_json_only(admin_client):
    page = admin_client.get(reverse("admin:campaigns_channel_add"), headers=ENGLISH)
    before, _expert, after = page.content.decode().partition("<summary>Expert</summary>")
    assert "<code>timeout_seconds</code>" not in before
    assert "<code>timeout_seconds</code>" in after


def test_g1_an_sms_channel_has_no_records_of_a_domain(admin_client):
    assert "v=spf1" not in _page(admin_client, make_channel("sms")).content.decode()


def test_g1_the_list_says_which_channel_sends_and_which_does_not_and_why(admin_client, now):
    channel = make_channel("sms")
    address = reverse("admin:campaigns_channel_changelist")
    assert "Sends" in admin_client.get(address, headers=ENGLISH).content.decode()
    Channel.objects.filter(pk=channel.pk).update(blocked_at=now, blocked_reason="http_403")
    shown = admin_client.get(address, headers=ENGLISH).content.decode()
    assert "Blocked: The provider does not accept our login." in shown
    Channel.objects.filter(pk=channel.pk).update(is_active=False)
    assert "Switched off" in admin_client.get(address, headers=ENGLISH).content.decode()
