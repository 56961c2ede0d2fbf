"""Those who run the system are told once of every block and hold, outside any transaction."""

import logging
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.db.models import F
from django.urls import reverse

from campaigns.channels.base import SendOutcome, SendResult
from campaigns.models import Campaign, Channel, Dispatch
from campaigns.services.campaigns import recurring, ticking
from campaigns.services.channels import operator_mails, reopening
from campaigns.services.sending import holding, throttling
from loancrm.kernel.database import shared_clock
from loancrm.kernel.database.shared_clock import Moment
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people
from tests.factories.templates import ask_for, make_own_system, make_template
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
    assert operator_mails.mail_operators(holder="w1") == 1
    assert operator_mails.mail_operators(holder="w1") == 0
    (sent,) = mail.outbox
    assert sent.to == ["ops@lender.example"]
    assert "邮件一" in sent.body
    assert "insufficient_balance" not in sent.body
    assert f"/channel/{channel.pk}/" in sent.body
    reopening.reopen_channel(channel=channel, actor=actor, now=now)
    block(channel)
    assert operator_mails.mail_operators(holder="w1") == 1
    assert len(mail.outbox) == 2


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_a_hold_is_told_once_and_again_when_it_comes_again(actor, now):
    make_channel()
    make_people(1)
    run = make_launched(actor, now)
    ticking.advance(now=now)
    holding.hold(dispatch=run, reason="work_fails")
    assert operator_mails.mail_operators(holder="w1") == 1
    assert operator_mails.mail_operators(holder="w1") == 0
    assert "work_fails" not in mail.outbox[0].body
    ticking.resume_campaign(campaign=Campaign.objects.get(), actor=actor, now=now)
    holding.hold(dispatch=run, reason="work_fails")
    assert operator_mails.mail_operators(holder="w1") == 1


@pytest.mark.sql
@pytest.mark.django_db
def test_a_thousand_held_calls_are_one_line_of_one_mail(actor, now, django_assert_max_num_queries):
    people = make_people(1)
    core = make_own_system(actor, now)
    sms = make_channel("sms")
    template = make_template(sms, now)
    other = make_template(sms, now, slug="other", name="其他通知")
    for slug in (template.slug, other.slug):
        for _call in range(operator_mails.MOST_AT_ONCE + 1):
            ask_for(core, people, actor, now, template=slug)
    Dispatch.objects.update(status="held", hold_reason="changed_texts")
    with django_assert_max_num_queries(13):
        assert operator_mails.mail_operators(holder="w1") == 2
    assert operator_mails.mail_operators(holder="w1") == 0
    (sent,) = mail.outbox
    assert sent.body.count("登录验证码") == 1
    assert str(operator_mails.MOST_AT_ONCE + 1) in sent.body
    assert f"/messagetemplate/{other.pk}/" in sent.body
    ask_for(core, people, actor, now)
    Dispatch.objects.filter(status="running").update(status="held", hold_reason="changed_texts")
    assert operator_mails.mail_operators(holder="w1") == 1


@pytest.fixture
def held_run(actor, now):
    """A campaign of Wang's whose next run is held."""
    make_channel()
    make_people(1)
    make_launched(actor, now, schedule={"start_at": now.isoformat(), "repeat": {"every": "month"}})
    author = User.objects.create_user("wang", "wang@lender.example")
    Campaign.objects.update(author=author)
    recurring.hold_runs(campaigns=Campaign.objects.all())
    return Campaign.objects.get()


@pytest.mark.sql
@pytest.mark.django_db
def test_a_held_run_is_told_to_operators_and_its_author_once_for_each_reason(held_run, actor, now):
    assert operator_mails.mail_operators(holder="w1") == 1
    assert operator_mails.mail_operators(holder="w1") == 0
    assert [sent.to for sent in mail.outbox] == [["ops@lender.example"], ["wang@lender.example"]]
    for sent in mail.outbox:
        assert "春季关怀" in sent.body
        assert "run_fails" not in sent.body
        assert f"/campaign/{held_run.pk}/" in sent.body
    ticking.resume_campaign(campaign=held_run, actor=actor, now=now)
    assert operator_mails.mail_operators(holder="w1") == 0
    recurring.hold_runs(campaigns=Campaign.objects.all())
    assert operator_mails.mail_operators(holder="w1") == 1


@pytest.mark.sql
@pytest.mark.django_db
def test_an_author_hears_of_a_held_run_where_no_operators_are_named(held_run, settings):
    settings.LOANCRM_OPERATOR_EMAILS = []
    assert operator_mails.mail_operators(holder="w1") == 1
    assert operator_mails.mail_operators(holder="w1") == 0
    assert [sent.to for sent in mail.outbox] == [["wang@lender.example"]]


@pytest.mark.sql
@pytest.mark.django_db
@pytest.mark.parametrize("silent", [{"email": ""}, {"email": "zhao@x.example", "is_active": False}])
def test_runs_whose_authors_cannot_be_written_to_leave_room_for_others(
    held_run, settings, monkeypatch, silent
):
    settings.LOANCRM_OPERATOR_EMAILS = []
    monkeypatch.setattr(operator_mails, "MOST_AT_ONCE", 2)
    author = held_run.author
    Campaign.objects.update(author=User.objects.create_user("zhao", **silent))
    for number in range(3):
        held_run.pk, held_run.slug, held_run.experiment_salt = None, f"run-{number}", uuid4()
        held_run.author = author if number == 2 else User.objects.get(username="zhao")
        held_run.save(force_insert=True)
    assert operator_mails.mail_operators(holder="w1") == 1
    assert [sent.to for sent in mail.outbox] == [["wang@lender.example"]]
    assert operator_mails.mail_operators(holder="w1") == 0


@pytest.mark.sql
@pytest.mark.django_db
def test_an_authors_mail_that_fails_tells_the_operators_no_second_time(held_run, monkeypatch):
    send = operator_mails.send_mail

    def sending(subject, text, sender, to):
        if to == ["wang@lender.example"]:
            raise SMTPServerDisconnected
        send(subject, text, sender, to)

    monkeypatch.setattr(operator_mails, "send_mail", sending)
    for _tick in range(2):
        operator_mails.mail_operators(holder="w1")
    assert [sent.to for sent in mail.outbox] == [["ops@lender.example"]]


@pytest.mark.sql
@pytest.mark.django_db
def test_an_authors_mail_that_always_fails_is_tried_less_and_less_and_given_up(
    held_run, settings, monkeypatch, actor, now, client
):
    settings.LOANCRM_OPERATOR_EMAILS = []
    tried = []

    def failing(*given):
        tried.append(given)
        raise SMTPServerDisconnected

    send = operator_mails.send_mail
    monkeypatch.setattr(operator_mails, "send_mail", failing)
    for failures in range(1, operator_mails.MOST_AUTHOR_FAILURES + 1):
        for _tick in range(3):
            assert operator_mails.mail_operators(holder="w1") == 0
        assert len(tried) == failures
        pause = timedelta(seconds=300 * 2 ** (failures - 1))
        after = Campaign.objects.get().run_hold_mail_after - shared_clock.now()
        assert pause - timedelta(minutes=1) < after <= pause
        Campaign.objects.update(run_hold_mail_after=Moment(-1))
    assert operator_mails.mail_operators(holder="w1") == 0
    assert len(tried) == operator_mails.MOST_AUTHOR_FAILURES

    client.force_login(User.objects.create_superuser("root"))
    address = reverse("admin:campaigns_campaign_change", args=[held_run.pk])
    page = client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "Its author could not be told by e-mail" in page

    monkeypatch.setattr(operator_mails, "send_mail", send)
    ticking.resume_campaign(campaign=held_run, actor=actor, now=now)
    recurring.hold_runs(campaigns=Campaign.objects.all())
    assert operator_mails.mail_operators(holder="w1") == 1
    page = client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "Its author could not be told by e-mail" not in page


@pytest.mark.sql
@pytest.mark.django_db
def test_an_author_whose_address_no_mail_can_carry_is_no_reason_to_tell_anybody_twice(
    held_run, settings
):
    author = held_run.author
    author.email = f"wang@{'长' * 60}.example"
    author.save()
    settings.LOANCRM_OPERATOR_EMAILS = ["ops@lender.example"]
    for _round in range(3):
        operator_mails.mail_operators(holder="w1")
    assert [message.to for message in mail.outbox] == [["ops@lender.example"]]


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
        patch.setattr(operator_mails, "send_mail", failing)
        assert operator_mails.mail_operators(holder="w1") == 0
    assert seen == [False]
    assert "operators not told" in caplog.text
    assert "password" not in caplog.text
    assert operator_mails.mail_operators(holder="w1") == 1


@pytest.mark.django_db
def test_nobody_is_written_to_where_nobody_is_named(settings):
    settings.LOANCRM_OPERATOR_EMAILS = []
    block(make_channel())
    assert operator_mails.mail_operators(holder="w1") == 0
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
    assert operator_mails.mail_operators(holder="w1") == 0
    refuse_for(channel, 2)
    assert operator_mails.mail_operators(holder="w1") == 1
    (sent,) = mail.outbox
    assert "邮件一" in sent.body
    assert f"/channel/{channel.pk}/" in sent.body
    refuse_for(channel, 300)
    assert operator_mails.mail_operators(holder="w1") == 0
    answer(channel, now, SendOutcome.ACCEPTED)
    refuse_for(channel, 29)
    assert operator_mails.mail_operators(holder="w1") == 0
    refuse_for(channel, 2)
    assert operator_mails.mail_operators(holder="w1") == 1


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_nobody_is_told_of_a_provider_that_asks_for_pauses_and_takes_messages(now):
    channel = make_channel()
    refuse_for(channel, 31)
    answer(channel, now, SendOutcome.ACCEPTED, SendOutcome.NOT_TAKEN)
    assert Channel.objects.get().paused_since is None
    refuse_for(channel, 31)
    answer(channel, now, SendOutcome.REJECTED)
    assert operator_mails.mail_operators(holder="w1") == 0


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_nobody_is_told_of_a_provider_that_nobody_asks(now):
    channel = make_channel()
    refuse_for(channel, 31)
    Channel.objects.update(paused_until=Moment(-throttling.LULL_SECONDS - 1))
    assert operator_mails.mail_operators(holder="w1") == 0
    throttling.pause(channel=channel, seconds=30, reason="http_429")
    assert operator_mails.mail_operators(holder="w1") == 0
    refuse_for(channel, 31)
    assert operator_mails.mail_operators(holder="w1") == 1


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_a_standstill_is_over_when_a_person_opens_the_channel(actor, now):
    channel = make_channel()
    refuse_for(channel, 31)
    assert operator_mails.mail_operators(holder="w1") == 1
    reopening.release(channel=channel)
    assert Channel.objects.get().paused_since is None
    refuse_for(channel, 31)
    assert operator_mails.mail_operators(holder="w1") == 1


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
            operator_mails.mail_operators(holder="w1")
        operator_mails.mail_operators(holder="w1")
        told = "".join(sent.body for sent in mail.outbox)
        assert f"/channel/{busy.pk}/" in told
        assert f"/channel/{blocked.pk}/" in told
        assert operator_mails.mail_operators(holder="w1") == 0
