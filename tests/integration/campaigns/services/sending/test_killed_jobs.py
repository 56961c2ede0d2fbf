"""Jobs of campaigns, killed after any of their commits and run again, end as one clean run."""

import random
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from campaigns.channels.base import Asked
from campaigns.domain.receipts.report import DeliveryEvent, DeliveryKind, message_id_of
from campaigns.domain.sending.fates import FateDecision
from campaigns.models import (
    Budget,
    Campaign,
    Chunk,
    Dispatch,
    IdempotencyKey,
    Message,
    Partner,
    Receipt,
)
from campaigns.services.campaigns import launch, ticking
from campaigns.services.campaigns.launch import LAUNCHABLE
from campaigns.services.channels import asking, fates
from campaigns.services.partners import contracts, idempotency
from campaigns.services.receipts import reports
from campaigns.services.sending import chunks, dispatch, providers
from customers.services.segments import versions
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import (
    EVERYONE,
    SMS,
    expire_leases,
    make_approved,
    make_channel,
    make_launched,
)
from tests.factories.people import make_people
from tests.factories.sent import make_sent
from tests.kills import assert_kills_leave_no_trace, empty, killed_after_commit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
# Beats, and ids made from a key that is drawn by lot.
ALIVE = {"kernel.Deployment", "campaigns.Message.provider_message_id"}


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    for module in (launch, ticking):
        monkeypatch.setattr(module, "enqueue", lambda *_job, **_facts: None)


@pytest.fixture(autouse=True)
def _one_salt(monkeypatch):
    """Every campaign is the same campaign, with the same digest of what was approved."""
    salt = Campaign._meta.get_field("experiment_salt")
    monkeypatch.setattr(salt, "_get_default", lambda: UUID(int=7))


def drain(now):
    return dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)


def test_a7_a_cancelled_campaign_ends_with_its_money_after_a_kill_at_any_commit(actor, now):
    """What a dead worker had reserved and not handed over is not spent."""

    def prepare():
        make_channel(cost_per_part=Decimal(1))
        make_people(4)
        run = make_launched(actor, now, budget_amount="100")
        ticking.advance(now=now)
        chunks.claim(holder="dead", now=now)
        Chunk.objects.update(reserved_amount=Decimal(4))
        Budget.objects.update(committed_amount=Decimal(4))
        first = Message.objects.order_by("pk").first()
        Message.objects.filter(pk=first.pk).update(state="sending", mark=1, cost_amount=Decimal(1))
        campaign = Campaign.objects.get(pk=run.campaign_id)
        ticking.cancel_campaign(campaign=campaign, actor=actor, now=now)
        expire_leases()

    assert_kills_leave_no_trace(prepare, lambda: ticking.advance(now=now), commits=1, ignored=ALIVE)
    assert Budget.objects.get().committed_amount == Decimal(1)


def test_a7_steps_follow_each_other_alike_after_a_kill_at_any_commit(actor, now):
    """Freezing the next step, starting it, completing it and the campaign."""
    later = now + timedelta(hours=1)

    def prepare():
        make_channel()
        make_people(2)
        make_channel("sms")
        make_launched(
            actor,
            now,
            fallback_channel="sms-memory",
            fallback_content=SMS,
            fallback_after_minutes=30,
        )
        ticking.advance(now=now)
        drain(now)
        Message.objects.filter(customer__external_id="p1").update(state="bounced")
        ticking.advance(now=now)

    def work():
        ticking.tick(holder="w1", now=later)
        # Sending has tests of its own.
        second = Dispatch.objects.filter(position=2, status="running")
        Message.objects.filter(dispatch__in=second).update(state="sent", sent_at=later)
        Chunk.objects.filter(dispatch__in=second).update(state="done")
        ticking.advance(now=later)

    assert_kills_leave_no_trace(prepare, work, commits=6, ignored=ALIVE)
    assert Dispatch.objects.filter(status="completed").count() == 2
    assert Campaign.objects.get().status == "completed"


def test_a7_a_launch_is_whole_or_not_there_after_a_kill_at_any_commit(actor, now):
    def prepare():
        make_channel()
        make_people(3)
        make_approved(actor, now)

    def work():
        campaign = Campaign.objects.get()
        if campaign.status in LAUNCHABLE:
            launch.launch_campaign(campaign=campaign, actor=actor, now=now)

    assert_kills_leave_no_trace(prepare, work, commits=2, ignored=ALIVE)
    assert Message.objects.count() == 3


def lose(actor, now, *, count):
    """Messages of a running campaign of which nobody knows whether they were sent."""
    _channel, messages = make_sent(actor, now, count=count)
    Message.objects.update(state="unknown", sent_at=None, closed_at=now, due_at=None)
    Campaign.objects.update(status="running")
    return messages


def test_a7_providers_are_asked_until_all_is_told_after_a_kill_at_any_commit(
    actor, now, monkeypatch
):
    def work():
        provider = providers.provider_of(Message.objects.first().dispatch.channel)
        provider.can_be_asked = True
        provider.ask = lambda keys: {
            key: (Asked.TAKEN, Asked.NEVER_TAKEN)[(message_id_of(key) or 0) % 2] for key in keys
        }
        for minutes in (5, 120):
            asking.ask_providers(holder="w1", now=now + timedelta(minutes=minutes))

    ignored = {
        *(f"campaigns.Message.{name}" for name in ("due_at", "closed_at")),
        *(f"campaigns.Chunk.{name}" for name in ("due_at",)),
        "customers.Event.received_at",
    }
    assert_kills_leave_no_trace(
        lambda: lose(actor, now, count=4), work, commits=4, ignored=ALIVE | ignored
    )
    assert not Message.objects.filter(state="unknown").exists()


def test_a7_a_fate_that_was_decided_is_in_the_audit_trail_after_a_kill_at_any_commit(
    actor, now, monkeypatch
):
    monkeypatch.setattr(fates, "_BATCH", 2)
    for nth in range(1, 6):
        empty()
        lose(actor, now, count=5)
        campaign = Campaign.objects.get()

        def work(campaign=campaign):
            fates.decide(
                campaign=campaign,
                message_ids=None,
                fate=FateDecision.WAS_SENT,
                actor=actor,
                now=now,
            )

        with killed_after_commit(nth):
            work()
        work()
        entries = AuditEntry.objects.filter(action="messages.fate_decided")
        named = [pk for entry in entries for pk in entry.facts["messages"]]
        assert sorted(named) == sorted(Message.objects.values_list("pk", flat=True))


def test_a7_early_reports_are_applied_alike_after_a_kill_at_any_commit(actor, now, monkeypatch):
    monkeypatch.setattr(reports, "_BATCH", 2)

    def prepare():
        channel, messages = make_sent(actor, now, count=5)
        events = [
            DeliveryEvent(
                provider_event_id=f"e{number}",
                kind=DeliveryKind.DELIVERED,
                provider_message_id=f"early-{number}",
                message_key="",
                occurred_at=now,
            )
            for number in range(5)
        ]
        reports.apply_events(actor=actor, channel=channel, events=events, now=now)
        for number, message in enumerate(messages[:4]):
            Message.objects.filter(pk=message.pk).update(provider_message_id=f"early-{number}")

    later = now + timedelta(minutes=1)
    assert_kills_leave_no_trace(
        prepare,
        lambda: reports.retry_all_quarantined(actor=actor, now=later),
        commits=3,
        # How often they were tried.
        ignored=ALIVE | {"campaigns.Receipt.tries", "campaigns.Receipt.next_try_at"},
    )
    assert Receipt.objects.filter(is_applied=True).count() == 4


def test_a7_leftovers_of_the_api_are_forgotten_after_a_kill_at_any_commit(actor, now):
    def prepare():
        User.objects.filter(username="partner:p1").delete()
        partner, _client = contracts.register_partner(actor=actor, slug="p1", name="P1", now=now)
        for days in (1, 8, 9):
            IdempotencyKey.objects.create(
                partner=partner,
                key=str(days),
                fingerprint="f",
                lease_until=now,
                created_at=now - timedelta(days=days),
            )

    def work():
        idempotency.forget_old_keys(now=now)
        contracts.forget_expired_tokens()

    # A client's id and secret are drawn by lot.
    ignored = {"oauth2_provider.Application", "campaigns.PartnerClient"}
    assert_kills_leave_no_trace(prepare, work, commits=1, ignored=ignored)
    assert IdempotencyKey.objects.count() == 1


def test_a7_a_partner_is_registered_with_all_its_shares_or_not_at_all(actor, now, capsys):
    """A client's secret is shown once: of a half-registered partner nobody would have it."""
    for nth in range(1, 5):
        empty()
        User.objects.filter(username__startswith="partner:").delete()
        for slug in ("one", "two"):
            versions.create_segment(actor=actor, slug=slug, name=slug, rule=EVERYONE, now=now)
        command = ["create_partner", "P", "--share", "segment:one", "--share", "segment:two"]
        with killed_after_commit(nth) as commits:
            call_command(*command, "--json")
        is_told = "client_secret" in capsys.readouterr().out
        assert is_told == (commits[0] < nth)
        if Partner.objects.exists():
            assert commits[0] == 1
            with suppress(CommandError):
                call_command(*command)
            call_command("create_partner", "P", "--add", "--json")
            assert "client_secret" in capsys.readouterr().out
