"""A requested message goes the way of every message: gates, texts as approved, receipts, fates."""

import logging
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.channels import registry
from campaigns.channels.base import Asked
from campaigns.channels.memory import MemoryChannel
from campaigns.domain.content.links import LinkTarget
from campaigns.domain.requests.call import RequestPriority
from campaigns.domain.sending.fates import FateDecision
from campaigns.domain.sending.states import Priority
from campaigns.models import (
    Channel,
    Chunk,
    Dispatch,
    FrequencyRule,
    Message,
    MessageVariables,
    StandIn,
    Suppression,
    TrackedLink,
)
from campaigns.selectors.campaigns import standstill
from campaigns.services.campaigns import ticking
from campaigns.services.channels import asking, fates, operator_mails
from campaigns.services.channels.fates import MessagesAreOver
from campaigns.services.consents import preferences
from campaigns.services.receipts import visits
from campaigns.services.requests import held, plans, templates
from campaigns.services.sending import dispatch, own_values, settling
from customers.domain.timeline import TimelineFilter
from customers.models import ConsentState, Event
from customers.selectors.profile import timeline
from customers.selectors.profile.timeline_names import names_in
from loancrm.kernel import clock
from loancrm.kernel.database import shared_clock
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people
from tests.factories.templates import (
    ask_for,
    make_author,
    make_own_system,
    make_template,
    submit_and_approve,
    template_spec,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
AT_NIGHT = timedelta(hours=16)


@pytest.fixture
def sms(db):
    return make_channel("sms")


@pytest.fixture
def core(actor, now):
    return make_own_system(actor, now)


def outbox():
    return registry.shared(name="sms-memory", backend="memory", options={}).delivered


def drain(now):
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=now)


def test_it_goes_out_with_its_own_values_and_needs_no_campaign(sms, core, actor, now):
    make_template(sms, now)
    people = make_people(2, consents=())
    ask_for(core, people, actor, now)
    drain(now)

    assert {sent.to for sent in outbox()} == {
        f"+861{sum(map(ord, 'p')) % 100:02d}{number:08d}" for number in (1, 2)
    }
    assert all("482913" in sent.payload.text for sent in outbox())
    run = Dispatch.objects.get()
    assert (run.source, run.campaign, run.step, run.status) == (
        "request",
        None,
        None,
        "completed",
    )
    sent = Event.objects.filter(type__name="message_sent")
    assert set(sent.values_list("subject", flat=True)) == {"login-code"}


def test_what_a_message_said_alone_is_sealed_and_gone_once_it_was_sent(sms, core, actor, now):
    make_template(sms, now)
    ask_for(core, make_people(1), actor, now)
    (row,) = MessageVariables.objects.all()
    assert b"482913" not in bytes(row.values_sealed)
    drain(now)
    assert not MessageVariables.objects.exists()


def test_values_of_what_waits_are_kept_for_a_day(sms, core, actor, now):
    make_template(sms, now)
    ask_for(core, make_people(3), actor, now)
    first, second, _third = Message.objects.order_by("pk")
    Message.objects.filter(pk=first.pk).update(state="delivered")
    Message.objects.filter(pk=second.pk).update(state="unknown")
    assert own_values.forget_old(now=now + timedelta(hours=23)) == 1
    assert not MessageVariables.objects.filter(message=first).exists()
    assert own_values.forget_old(now=now + timedelta(hours=24)) == 2
    drain(now + timedelta(hours=24))
    # Better no message than one without its code.
    assert outbox() == []
    assert Message.objects.order_by("pk").last().reason == "missing_variable"


@pytest.mark.parametrize(
    "text", ["您的验证码{{ code|default('') }}。", "验证码{% if code %}{{ code }}{% endif %}。"]
)
def test_a_text_that_could_do_without_its_values_is_not_sent_without(text, sms, core, actor, now):
    make_template(sms, now, text=text)
    ask_for(core, make_people(1), actor, now)
    own_values.forget_old(now=now + timedelta(hours=24))
    drain(now + timedelta(hours=24))
    assert outbox() == []
    assert Message.objects.get().reason == "missing_variable"


def test_g16_marketing_caps_stop_no_code_however_many_wait_beside_it(sms, core, actor, now):
    FrequencyRule.objects.create(window_hours=24, max_count=1)
    make_template(sms, now)
    people = make_people(1)
    for _call in range(3):
        ask_for(core, people, actor, now)
    drain(now)
    Dispatch.objects.filter(pk=Dispatch.objects.last().pk).update(status="held", hold_reason="x")
    ask_for(core, people, actor, now)
    drain(now)
    assert len(outbox()) == 4


@pytest.mark.parametrize(
    ("purpose", "asked", "place"),
    [
        ("service", "normal", Priority.SERVICE),
        ("service", "urgent", Priority.URGENT),
        ("marketing", "urgent", Priority.NORMAL),
        ("marketing", "service", Priority.NORMAL),
    ],
)
def test_marketing_never_overtakes_and_a_service_never_waits_for_it(
    purpose, asked, place, sms, actor, now
):
    kind = "one_time_code" if purpose == "service" else ""
    template = make_template(sms, now, purpose=purpose, service_kind=kind)
    plan = plans.plan_request(template=template, priority=RequestPriority(asked), due_at=now)
    assert plan.priority == place


def test_a_release_opens_the_channel_that_held_them(sms, core, actor, now):
    template = make_template(sms, now)
    ask_for(core, make_people(1), actor, now)
    Channel.objects.update(blocked_at=now, blocked_reason="down")
    Dispatch.objects.update(status="held", hold_reason="channel_blocked")
    assert held.release_held(template=template, actor=actor, now=now) == 1
    assert Channel.objects.get().blocked_at is None
    drain(now)
    assert len(outbox()) == 1


def test_a_campaign_pays_nothing_for_values_that_others_have(sms, actor, now):
    make_people(3)
    make_launched(actor, now, channel="sms-memory", content=SMS)
    ticking.advance(now=now)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        drain(now)
    assert len(outbox()) == 3
    assert not [query for query in queries if "messagevariables" in query["sql"]]


def test_nothing_of_a_value_is_logged(sms, core, actor, now, caplog):
    caplog.set_level(logging.DEBUG)
    make_template(sms, now, text="验证码{{ code|money }}。")
    ask_for(core, make_people(1), actor, now, variables={"code": "not-a-sum"})
    drain(now)
    assert Message.objects.get().reason == "render_error"
    assert "not-a-sum" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "state"), [("one_time_code", "sent"), ("notice", "planned")], ids=["code", "notice"]
)
def test_quiet_hours_hold_what_can_wait(sms, core, actor, now, kind, state):
    make_template(sms, now, service_kind=kind)
    ask_for(core, make_people(1), actor, now + AT_NIGHT)
    drain(now + AT_NIGHT)
    assert Message.objects.get().state == state


def test_marketing_needs_its_consent_and_the_stop_list_stops_all(sms, core, actor, now):
    make_template(sms, now, purpose="marketing", service_kind="", text="新品到店{{ code }}。")
    people = make_people(3)
    ConsentState.objects.filter(customer=people[0]).delete()
    Suppression.objects.create(customer=people[1], reason="opted_out", at=now)
    ask_for(core, people, actor, now)
    drain(now)
    rows = Message.objects.order_by("customer_id")
    assert [row.reason or row.state for row in rows] == ["no_consent", "suppressed", "sent"]


def test_a_text_changed_after_the_call_holds_it_until_somebody_gives_it_up(sms, core, actor, now):
    template = make_template(sms, now)
    ask_for(core, make_people(2), actor, now)
    author = make_author()
    changed = template_spec(sms, text="别的验证码{{ code }}。")
    template = templates.change_template(template=template, spec=changed, actor=author, now=now)
    submit_and_approve(template, author, now)
    drain(now)
    run = Dispatch.objects.get()
    assert (run.status, run.hold_reason) == ("held", "changed_texts")
    assert held.release_held(template=template, actor=actor, now=now) == 0
    drain(now)
    assert Dispatch.objects.get().status == "held"
    assert held.cancel_held(template=template, actor=actor, now=now) == 1
    assert outbox() == []
    assert set(Message.objects.values_list("state", flat=True)) == {"cancelled"}


def test_what_only_another_signature_could_send_goes_out_when_its_own_channel_is_back(
    sms, core, actor, now
):
    template = make_template(sms, now)
    ask_for(core, make_people(1), actor, now)
    other = make_channel("sms", slug="other", sender="别家金融")
    StandIn.objects.create(channel=sms, other=other, position=1)
    Channel.objects.filter(pk=sms.pk).update(blocked_at=now, blocked_reason="down")
    drain(now)
    assert Dispatch.objects.get().hold_reason == "changed_stand_ins"
    Channel.objects.filter(pk=sms.pk).update(blocked_at=None, blocked_reason="")
    assert held.release_held(template=template, actor=actor, now=now) == 1
    drain(now)
    assert Message.objects.get().state == "sent"


def test_operators_are_told_of_a_held_one_by_its_template(
    sms, core, actor, now, mailoutbox, settings
):
    settings.LOANCRM_OPERATOR_EMAILS = ["ops@lender.example"]
    template = make_template(sms, now)
    ask_for(core, make_people(1), actor, now)
    Dispatch.objects.update(status="held", hold_reason="changed_texts")
    assert operator_mails.mail_operators(holder="w1") == 1
    (mail,) = mailoutbox
    assert "登录验证码" in mail.body
    assert f"/messagetemplate/{template.pk}/" in mail.body


def _lose(now):
    Message.objects.update(
        state="unknown", reason="connection_lost", attempted_at=now, closed_at=now
    )
    Dispatch.objects.update(status="completed", completed_at=now)


def test_a_person_decides_about_unknown_fates_of_requests_and_campaigns_at_once(
    sms, core, actor, now
):
    make_template(sms, now)
    people = make_people(2)
    make_launched(actor, now, channel="sms-memory", content=SMS)
    ask_for(core, people[:1], actor, now)
    _lose(now)
    ids = list(Message.objects.values_list("pk", flat=True))
    count = fates.decide_selection(
        message_ids=ids, fate=FateDecision.SEND_AGAIN, actor=actor, now=now
    )
    assert count == 3
    drain(now)
    assert sum("482913" in sent.payload.text for sent in outbox()) == 1
    assert len(outbox()) == 3


def test_what_was_sent_has_its_event_and_what_was_given_up_stays_so(sms, core, actor, now):
    make_template(sms, now)
    ask_for(core, make_people(1), actor, now)
    _lose(now)
    run = Dispatch.objects.get()
    Dispatch.objects.update(status="cancelled")
    ids = list(Message.objects.values_list("pk", flat=True))
    with pytest.raises(MessagesAreOver):
        fates.decide_selection(message_ids=ids, fate=FateDecision.SEND_AGAIN, actor=actor, now=now)
    fates.decide_requested(
        dispatch=run, message_ids=None, fate=FateDecision.WAS_SENT, actor=actor, now=now
    )
    assert Event.objects.get(type__name="message_sent").subject == "login-code"


def test_providers_are_asked_about_requests_too(sms, core, actor, now, monkeypatch):
    make_template(sms, now)
    ask_for(core, make_people(1), actor, now)
    _lose(now)
    monkeypatch.setattr(MemoryChannel, "can_be_asked", True, raising=False)
    monkeypatch.setattr(
        MemoryChannel,
        "ask",
        lambda _self, keys: dict.fromkeys(keys, Asked.NEVER_TAKEN),
        raising=False,
    )
    later = now + timedelta(minutes=3)
    assert asking.ask_providers(holder="w1", now=later) == 1
    assert Message.objects.get().state == "planned"
    Message.objects.update(state="unknown", closed_at=now, due_at=None)
    # By then nobody waits for it any more.
    assert asking.ask_providers(holder="w1", now=now + timedelta(days=2)) == 1
    assert Message.objects.get().state == "failed"


def test_the_timeline_names_the_template(sms, core, actor, now):
    template = make_template(sms, now)
    (person,) = make_people(1)
    ask_for(core, [person], actor, now)
    drain(now)
    page = timeline.page(person.pk, wanted=TimelineFilter(), after=None, zone=clock.company_zone())
    (entry,) = [entry for entry in page.entries if entry.name == "message_sent" and entry.facts]
    assert entry.subject == "登录验证码"
    assert entry.facts["template"] == "login-code"
    named = names_in(page.entries).subjects[entry.name, entry.subject]
    assert (named.text, named.row) == ("登录验证码", template)


def test_messages_that_no_worker_takes_are_seen_with_their_template(
    sms, core, actor, now, admin_client
):
    template = make_template(sms, now)
    people = make_people(2)
    for person in people:
        ask_for(core, [person], actor, now)
    at = shared_clock.now() - timedelta(minutes=7)
    Dispatch.objects.update(due_at=at, frozen_at=at)
    Chunk.objects.update(due_at=at)
    (found,) = standstill.everywhere()
    assert (found.name, found.owner) == ("登录验证码", template)
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert reverse("admin:campaigns_messagetemplate_change", args=[template.pk]) in page


def test_a_refusal_says_what_the_message_was_about(sms, core, actor, now):
    make_template(sms, now)
    ask_for(core, make_people(1), actor, now)
    drain(now)
    (message,) = Message.objects.all()
    preferences.opt_out(actor=actor, message_id=message.pk, source="unsubscribe_link", now=now)
    assert Event.objects.get(type__name="opted_out").subject == "login-code"


def test_a_click_says_what_the_message_was_about(sms, core, actor, now):
    text = "验证码{{ code }}，说明：https://example.com/help 。"
    make_template(sms, now, text=text)
    ask_for(core, make_people(1), actor, now)
    drain(now)
    link, message = TrackedLink.objects.get(), Message.objects.get()
    target = LinkTarget(message_id=message.pk, link_id=link.pk)
    later = now + timedelta(seconds=10)
    leads_to = visits.note_visit(target=target, sign=None, address="", now=later)
    assert leads_to == "https://example.com/help"
    visits.publish_clicks(now=now + timedelta(minutes=1))
    assert Event.objects.get(type__name="link_clicked").subject == "login-code"


def test_codes_beside_a_campaign_do_not_make_its_caps_be_looked_up(
    sms, core, actor, now, monkeypatch
):
    """Caps count messages of one purpose, so what has another may have been sent meanwhile."""
    FrequencyRule.objects.create(window_hours=24, max_count=9)
    make_template(sms, now)
    people = make_people(3)
    make_launched(actor, now, channel="sms-memory", content=SMS)
    ticking.advance(now=now)
    ask_for(core, people[:1], actor, now)
    Dispatch.objects.filter(source="request").update(is_paused=True)

    def look_up(*_arguments, **_more):
        raise AssertionError

    monkeypatch.setattr(settling, "_mark_the_rest", look_up)
    drain(now)
    assert len(outbox()) == 3
