"""Those who run the system are told once of every block and hold, outside any transaction."""

import logging
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.db import connection

from campaigns.models import Campaign, Channel
from campaigns.services import holding, ticking
from campaigns.services.accounts import reopening, telling
from loancrm.kernel.database_clock import Moment
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people


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
    assert telling.tell_operators() == 1
    assert telling.tell_operators() == 0
    (sent,) = mail.outbox
    assert sent.to == ["ops@lender.example"]
    assert "邮件一" in sent.body
    assert "insufficient_balance" not in sent.body
    assert f"/channel/{channel.pk}/" in sent.body
    reopening.reopen_channel(channel=channel, actor=actor, now=now)
    block(channel)
    assert telling.tell_operators() == 1
    assert len(mail.outbox) == 2


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_a_hold_is_told_once_and_again_when_it_comes_again(actor, now):
    make_channel()
    make_people(1)
    run = make_launched(actor, now)
    ticking.advance(now=now)
    holding.hold(dispatch=run, reason="work_fails")
    assert telling.tell_operators() == 1
    assert telling.tell_operators() == 0
    assert "work_fails" not in mail.outbox[0].body
    ticking.resume_campaign(campaign=Campaign.objects.get(), actor=actor, now=now)
    holding.hold(dispatch=run, reason="work_fails")
    assert telling.tell_operators() == 1


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
        assert telling.tell_operators() == 0
    assert seen == [False]
    assert "operators not told" in caplog.text
    assert "password" not in caplog.text
    assert telling.tell_operators() == 1


@pytest.mark.django_db
def test_nobody_is_written_to_where_nobody_is_named(settings):
    settings.LOANCRM_OPERATOR_EMAILS = []
    block(make_channel())
    assert telling.tell_operators() == 0
    assert not mail.outbox
