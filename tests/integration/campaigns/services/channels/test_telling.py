"""Those who run the system are told once of every block and hold, outside any transaction."""

import logging
from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.db import connection
from django.db.models import F

from campaigns.channels.base import Outcome, SendResult
from campaigns.models import Campaign, Channel
from campaigns.services.campaigns import ticking
from campaigns.services.channels import reopening, telling
from campaigns.services.sending import holding, throttling
from loancrm.kernel.database.shared_clock import Moment
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people
from tests.kills import killed_after_commit


@pytest.fixture(autouse=True)
def _operators(settings):
    settings.LOANCRM_OPERATOR_EMAILS = ["ops@lender.example"]


def block(channel, reason="insufficient_balance"):
    Channel.objects.filter(pk=channel.pk).update(blocked_at=Moment(), blocked_reason=reason)


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_a_block_is_told_once_and_again_when_it_comes_again(actor, now):
    channel = make_channel(name="邮件一")
    block(channel)
    assert telling.tell_operators(holder="w1") == 1
    assert telling.tell_operators(holder="w1") == 0
    (sent,) = mail.outbox
    assert sent.to == ["ops@lender.example"]
    assert "邮件一" in sent.body
    assert "insufficient_balance" not in sent.body
    assert f"/channel/{channel.pk}/" in sent.body
    reopening.reopen_channel(channel=channel, actor=actor, now=now)
    block(channel)
    assert telling.tell_operators(holder="w1") == 1
    assert len(mail.outbox) == 2


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_a_hold_is_told_once_and_again_when_it_comes_again(actor, now):
    make_channel()
    make_people(1)
    run = make_launched(actor, now)
    ticking.advance(now=now)
    holding.hold(dispatch=run, reason="work_fails")
    assert telling.tell_operators(holder="w1") == 1
    assert telling.tell_operators(holder="w1") == 0
    assert "work_fails" not in mail.outbox[0].body
    ticking.resume_campaign(campaign=Campaign.objects.get(), actor=actor, now=now)
    holding.hold(dispatch=run, reason="work_fails")
    assert telling.tell_operators(holder="w1") == 1


@pytest.mark.django_db(transaction=True)
def test_a6_a_mail_that_fails_is_logged_and_tried_again_outside_any_transaction(
    monkeypatch, caplog
):
    block(make_channel())
    seen = []

    def failing(*_args):
        seen.append(connection.in_atomic_block)
        raise SMTPServerDisconnected("user:password")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(telling, "send_mail", failing)
        assert telling.tell_operators(holder="w1") == 0
    assert seen == [False]
    assert "operators not told" in caplog.text
    assert "password" not in caplog.text
    assert telling.tell_operators(holder="w1") == 1


@pytest.mark.django_db
def test_nobody_is_written_to_where_nobody_is_named(settings):
    settings.LOANCRM_OPERATOR_EMAILS = []
    block(make_channel())
    assert telling.tell_operators(holder="w1") == 0
    assert not mail.outbox


def refuse_for(channel, minutes, reason="http_429"):
    """Refuse an account again and again for so long, as workers see it."""
    throttling.pause(channel=channel, seconds=30, reason=reason)
    row = Channel.objects.filter(pk=channel.pk)
    row.update(paused_since=F("paused_since") - timedelta(minutes=minutes))


def answer(channel, now, *outcomes):
    """Keep what a sub-batch's answers say about the account, as it stands at a new claim."""
    results = [SendResult(number, outcome, code="x") for number, outcome in enumerate(outcomes)]
    throttling.pause_after(
        channel=Channel.objects.get(pk=channel.pk),
        results=results,
        waiting_since=[None] * len(results),
        now=now,
    )


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_a_provider_that_is_busy_for_long_is_told_once_until_it_was_open(now):
    channel = make_channel(name="邮件一")
    refuse_for(channel, 29)
    assert telling.tell_operators(holder="w1") == 0
    refuse_for(channel, 2)
    assert telling.tell_operators(holder="w1") == 1
    (sent,) = mail.outbox
    assert "邮件一" in sent.body
    assert f"/channel/{channel.pk}/" in sent.body
    refuse_for(channel, 300)
    assert telling.tell_operators(holder="w1") == 0
    answer(channel, now, Outcome.ACCEPTED)
    refuse_for(channel, 29)
    assert telling.tell_operators(holder="w1") == 0
    refuse_for(channel, 2)
    assert telling.tell_operators(holder="w1") == 1


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_nobody_is_told_of_a_provider_that_asks_for_pauses_and_takes_messages(now):
    channel = make_channel()
    refuse_for(channel, 31)
    answer(channel, now, Outcome.ACCEPTED, Outcome.NOT_TAKEN)
    assert Channel.objects.get().paused_since is None
    refuse_for(channel, 31)
    answer(channel, now, Outcome.REJECTED)
    assert telling.tell_operators(holder="w1") == 0


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_nobody_is_told_of_a_provider_that_nobody_asks(now):
    channel = make_channel()
    refuse_for(channel, 31)
    Channel.objects.update(paused_until=Moment(-throttling.LULL_SECONDS - 1))
    assert telling.tell_operators(holder="w1") == 0
    throttling.pause(channel=channel, seconds=30, reason="http_429")
    assert telling.tell_operators(holder="w1") == 0
    refuse_for(channel, 31)
    assert telling.tell_operators(holder="w1") == 1


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_a_standstill_is_over_when_a_person_opens_the_channel(actor, now):
    channel = make_channel()
    refuse_for(channel, 31)
    assert telling.tell_operators(holder="w1") == 1
    reopening.release(channel=channel)
    assert Channel.objects.get().paused_since is None
    refuse_for(channel, 31)
    assert telling.tell_operators(holder="w1") == 1


@pytest.mark.django_db(transaction=True)
def test_a7_a_worker_that_dies_over_the_mail_leaves_nothing_untold(now, monkeypatch):
    """Two mails are better than none."""
    busy, blocked = make_channel(), make_channel("sms")
    refuse_for(busy, 31)
    block(blocked)
    for nth in range(1, 9):
        Channel.objects.update(told_at=None, pause_told_at=None)
        mail.outbox.clear()
        with killed_after_commit(nth):
            telling.tell_operators(holder="w1")
        telling.tell_operators(holder="w1")
        told = "".join(sent.body for sent in mail.outbox)
        assert f"/channel/{busy.pk}/" in told
        assert f"/channel/{blocked.pk}/" in told
        assert telling.tell_operators(holder="w1") == 0
