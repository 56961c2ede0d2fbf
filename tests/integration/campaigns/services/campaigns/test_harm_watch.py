"""d18: a campaign that harms pauses by itself, people are told, and a person lets it go on."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.urls import reverse

from campaigns.admin import campaign_page
from campaigns.models import Campaign, Channel, Dispatch, Message
from campaigns.services.campaigns import harm_watch, ticking
from campaigns.services.campaigns.ticking import ResumeReasonMissing
from campaigns.services.channels import operator_mails
from customers.models import Event, EventType
from loancrm.kernel.access import user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def people():
    make_channel()
    return make_people(60)


def sent(run, at, **columns):
    values = {"state": "sent", "sent_at": at, "attempted_at": at, **columns}
    run.messages.update(**values)
    return list(run.messages.order_by("pk"))


def answered(messages, at, name="complaint_made"):
    kind, _new = EventType.objects.get_or_create(name=name)
    Event.objects.bulk_create(
        Event(
            customer_id=message.customer_id,
            type=kind,
            occurred_at=at,
            received_at=at,
            subject=message.dispatch.subject,
            channel="email",
            source="campaigns",
            dedup_key=f"{name} {message.pk} {at}",
        )
        for message in messages
    )


def status_of(run):
    row = Campaign.objects.get(pk=run.campaign_id)
    return row.status, row.pause_reason


@pytest.fixture
def later(now):
    return now + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("name", "bad", "reason"),
    [("complaint_made", 3, "complaints"), ("opted_out", 4, "opt_outs")],
)
def test_d18_answers_of_people_pause_a_campaign(actor, now, later, people, name, bad, reason):
    run = make_launched(actor, now)
    messages = sent(run, now)
    answered(messages[: bad - 1], later, name)
    assert harm_watch.pause_harmful(now=later) == 0
    answered(messages[bad - 1 : bad], later, name)
    assert harm_watch.pause_harmful(now=later) == 1
    assert status_of(run) == ("paused", reason)
    assert Dispatch.objects.get(pk=run.pk).is_paused
    entry = AuditEntry.objects.filter(action="campaign.paused").get()
    assert entry.facts["reason"] == reason
    assert (entry.facts["count"], entry.facts["messages"]) == (bad, 60)
    assert harm_watch.pause_harmful(now=later) == 0


def test_d18_failures_pause_a_campaign(actor, now, later, people):
    run = make_launched(actor, now)
    messages = sent(run, now)
    bad = harm_watch.bounds_set()["failures"].stops_at(60)
    Message.objects.filter(pk__in=[row.pk for row in messages[: bad - 1]]).update(state="bounced")
    assert harm_watch.pause_harmful(now=later) == 0
    Message.objects.filter(pk=messages[bad].pk).update(state="failed")
    assert harm_watch.pause_harmful(now=later) == 1
    assert status_of(run) == ("paused", "failures")


def test_d18_what_nobody_answered_and_other_campaigns_answers_pause_nothing(
    actor, now, later, people
):
    run = make_launched(actor, now)
    messages = sent(run, now)
    answered(messages[:20], now - timedelta(minutes=1))
    Event.objects.update(subject=run.subject)
    answered(messages[:20], later)
    Event.objects.filter(occurred_at=later).update(subject="another")
    assert harm_watch.pause_harmful(now=later) == 0


def test_d18_an_account_is_watched_over_all_its_campaigns(actor, now, later, people):
    runs = [make_launched(actor, now, slug=slug, name=slug) for slug in ("a", "b")]
    for at, run in enumerate(runs):
        answered(sent(run, now)[at : at + 1], later)
    assert harm_watch.pause_harmful(now=later) == 0
    answered(list(runs[0].messages.order_by("pk"))[5:6], later)
    assert harm_watch.pause_harmful(now=later) == 2
    assert {status_of(run) for run in runs} == {("paused", "account_complaints")}


def test_d18_service_messages_go_on_when_marketing_harms_their_account(actor, now, later, people):
    marketing = [make_launched(actor, now, slug=slug, name=slug) for slug in ("a", "b", "c", "d")]
    service = make_launched(actor, now, slug="s", name="s", purpose="service")
    for at, run in enumerate(marketing):
        answered(sent(run, now)[at : at + 1], later)
    harm_watch.pause_harmful(now=later)
    assert status_of(marketing[0]) == ("paused", "account_complaints")
    assert status_of(service) == ("running", "")


def test_d18_a_person_resumes_with_a_reason_and_it_is_counted_anew(actor, now, later, people):
    run = make_launched(actor, now)
    messages = sent(run, now)
    answered(messages[:3], later)
    harm_watch.pause_harmful(now=later)
    campaign = Campaign.objects.get()
    person = user_actor(User.objects.create(username="boss", is_superuser=True))
    with pytest.raises(ResumeReasonMissing):
        ticking.resume_campaign(campaign=campaign, actor=person, now=later, reason=" ")
    assert status_of(run) == ("paused", "complaints")
    ticking.resume_campaign(campaign=campaign, actor=person, now=later, reason="投诉已核实")
    assert status_of(run) == ("running", "")
    entry = AuditEntry.objects.filter(action="campaign.running").order_by("-pk").first()
    assert (entry.facts["paused_for"], entry.facts["reason"]) == ("complaints", "投诉已核实")
    assert harm_watch.pause_harmful(now=later) == 0
    sent(run, later + timedelta(minutes=1))
    answered(messages[5:8], later + timedelta(minutes=2))
    assert harm_watch.pause_harmful(now=later + timedelta(minutes=3)) == 1


def test_d18_resuming_for_an_account_counts_the_account_anew(actor, now, later, people):
    runs = [make_launched(actor, now, slug=slug, name=slug) for slug in ("a", "b", "c", "d")]
    for at, run in enumerate(runs):
        answered(sent(run, now)[at : at + 1], later)
    harm_watch.pause_harmful(now=later)
    campaign = Campaign.objects.get(slug="a")
    ticking.resume_campaign(campaign=campaign, actor=actor, now=later, reason="已沟通")
    assert Channel.objects.get().harm_since == later
    assert harm_watch.pause_harmful(now=later) == 0
    assert status_of(runs[0]) == ("running", "")


def test_d18_a_pause_by_a_person_needs_no_reason(actor, now, people):
    run = make_launched(actor, now)
    ticking.pause_campaign(campaign=run.campaign, actor=actor, now=now)
    ticking.resume_campaign(campaign=run.campaign, actor=actor, now=now)
    assert status_of(run) == ("running", "")


@pytest.mark.parametrize("has_operators", [True, False])
def test_d18_people_are_told_once(actor, now, later, people, settings, has_operators):
    settings.LOANCRM_OPERATOR_EMAILS = ["ops@lender.example"] if has_operators else []
    run = make_launched(actor, now)
    author = User.objects.create(username="alice", email="alice@lender.example")
    Campaign.objects.update(author=author)
    answered(sent(run, now)[:3], later)
    harm_watch.pause_harmful(now=later)
    assert operator_mails.mail_operators(holder="w1") == 1
    assert operator_mails.mail_operators(holder="w1") == 0
    told = {address for sent_mail in mail.outbox for address in sent_mail.to}
    assert told == {"alice@lender.example"} | ({"ops@lender.example"} if has_operators else set())
    assert all("春季关怀" in sent_mail.body for sent_mail in mail.outbox)


def test_d18_the_page_says_why_and_asks_for_a_reason(
    admin_client, admin_user, actor, now, later, people
):
    run = make_launched(actor, now)
    answered(sent(run, now)[:3], later)
    harm_watch.pause_harmful(now=later)
    campaign = Campaign.objects.get()
    found = campaign_page.buttons(campaign, user_actor(admin_user), is_held=False)
    assert next(button for button in found if button.name == "resume").needs_comment
    address = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    page = admin_client.get(address, headers={"accept-language": "zh-hans"}).content.decode()
    assert "投诉" in page
    step = reverse("admin:campaigns_campaign_step", args=[campaign.pk, "resume"])
    admin_client.post(step)
    assert status_of(run) == ("paused", "complaints")
    admin_client.post(step, {"comment": "已核实"})
    assert status_of(run) == ("running", "")


def test_d18_a_harm_that_is_switched_off_pauses_nothing(actor, now, later, people, settings):
    settings.LOANCRM_HARM_COMPLAINTS = ()
    run = make_launched(actor, now)
    answered(sent(run, now)[:10], later)
    assert harm_watch.pause_harmful(now=later) == 0


def test_d18_the_counts_take_as_many_queries_for_many_campaigns(
    actor, now, later, people, django_assert_num_queries
):
    for slug in ("a", "b", "c"):
        sent(make_launched(actor, now, slug=slug, name=slug), now)
    with django_assert_num_queries(6):
        harm_watch.pause_harmful(now=later)
