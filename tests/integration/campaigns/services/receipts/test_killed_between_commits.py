"""Work that commits in parts and is killed after any of them ends, run again, as a clean run."""

import csv
from datetime import timedelta
from decimal import Decimal

import pytest

from campaigns.channels import registry
from campaigns.domain.partners.touches import TouchChannel
from campaigns.domain.receipts.report import DeliveryEvent, DeliveryKind
from campaigns.models import Campaign, Dispatch, LinkVisit, Message, Receipt, TrackedLink
from campaigns.services.partners import touches
from campaigns.services.partners.past_campaigns import PastCampaign
from campaigns.services.receipts import reports, visits
from customers.models import Event
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.links import make_linked
from tests.factories.people import make_people
from tests.kills import killed_after_commit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
PHONE = PastCampaign("winter", TouchChannel.PHONE)
KILLS = range(1, 8)
_LONG = timedelta(days=3650)


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def make_sent(actor, now, *, count):
    """Messages as they stand after sending; the jobs that a commit starts find nothing to do."""
    channel = make_channel()
    make_people(count)
    dispatch = make_launched(actor, now, schedule={"start_at": (now + _LONG).isoformat()})
    Message.objects.update(state="sent", sent_at=now, attempted_at=now)
    return channel, list(dispatch.messages.order_by("pk"))


@pytest.fixture
def touch_file(tmp_path):
    """Six touches of three people, two a batch, so that every person is in several batches."""
    path = tmp_path / "touches.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["external_id", "touched_at", "variant", "cost"])
        for day in (3, 1, 2):
            for person in ("c1", "c2"):
                writer.writerow([person, f"2026-02-0{day}T10:00:00+08:00", f"V{day}", "1"])
        writer.writerow(["c3", "2026-02-05T10:00:00+08:00", "V5", "4"])
    return path


@pytest.mark.parametrize("nth", KILLS)
def test_a7_touches_cost_the_same_after_a_kill_at_any_commit(
    actor, now, touch_file, monkeypatch, nth
):
    monkeypatch.setattr(touches, "_BATCH", 2)
    make_linked(["c1", "c2", "c3"])
    with killed_after_commit(nth) as commits:
        touches.import_touches(actor=actor, path=touch_file, past=PHONE, now=now)
    touches.import_touches(actor=actor, path=touch_file, past=PHONE, now=now)
    assert commits[0] >= min(nth, 5)
    rows = Message.objects.order_by("customer__external_id").values_list(
        "variant__key", "attempts", "cost_amount", "sent_at__day"
    )
    assert list(rows) == [
        ("V1", 3, Decimal(3), 1),
        ("V1", 3, Decimal(3), 1),
        ("V5", 1, Decimal(4), 5),
    ]
    assert Event.objects.filter(type__name="call_made").count() == 7
    assert (Campaign.objects.count(), Dispatch.objects.get().audience_count) == (1, 3)
    campaign = Campaign.objects.get()
    assert (campaign.launched_at.day, campaign.completed_at.day) == (1, 5)


@pytest.mark.parametrize("nth", KILLS)
def test_a7_clicks_are_published_once_after_a_kill_at_any_commit(actor, now, monkeypatch, nth):
    monkeypatch.setattr(visits, "_BATCH", 2)
    _channel, messages = make_sent(actor, now, count=5)
    link = TrackedLink.objects.create(dispatch=messages[0].dispatch, target="https://a.cn/")
    LinkVisit.objects.bulk_create(
        LinkVisit(link=link, message=message, at=now + timedelta(seconds=10))
        for message in messages
    )
    later = now + timedelta(minutes=1)
    with killed_after_commit(nth):
        visits.publish_clicks(now=later)
    visits.publish_clicks(now=later)
    assert Event.objects.filter(type__name="link_clicked").count() == 5
    assert not LinkVisit.objects.filter(is_published=False).exists()


@pytest.mark.parametrize("nth", KILLS)
def test_a7_reports_are_applied_once_after_a_kill_at_any_commit(actor, now, monkeypatch, nth):
    monkeypatch.setattr(reports, "_BATCH", 2)
    channel, messages = make_sent(actor, now, count=5)
    events = [
        DeliveryEvent(
            provider_event_id=f"e{message.pk}",
            kind=DeliveryKind.DELIVERED,
            provider_message_id="",
            message_key=f"m{message.pk}",
            occurred_at=now,
        )
        for message in messages
    ]
    with killed_after_commit(nth):
        reports.apply_events(actor=actor, channel=channel, events=events, now=now)
    reports.apply_events(actor=actor, channel=channel, events=events, now=now)
    assert Receipt.objects.filter(is_applied=True).count() == 5
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}
    assert Event.objects.filter(type__name="message_delivered").count() == 5


def test_f57_a_burst_cut_by_a_run_is_one_burst(actor, now):
    _channel, (message,) = make_sent(actor, now, count=1)
    targets = [
        TrackedLink.objects.create(dispatch=message.dispatch, target=f"https://example.com/{n}")
        for n in range(3)
    ]
    for place, link in enumerate(targets):
        LinkVisit.objects.create(
            link=link, message=message, at=now + timedelta(seconds=60 + 0.9 * place)
        )
    for seconds in (65.5, 66.5, 90):
        assert visits.publish_clicks(now=now + timedelta(seconds=seconds)) == 0
    assert LinkVisit.objects.filter(is_bot=True, is_published=True).count() == 3
    assert not Event.objects.filter(type__name="link_clicked").exists()


def test_f57_a_burst_cut_by_a_batch_is_one_burst(actor, now, monkeypatch):
    monkeypatch.setattr(visits, "_BATCH", 2)
    _channel, (message,) = make_sent(actor, now, count=1)
    for place in range(3):
        link = TrackedLink.objects.create(dispatch=message.dispatch, target=f"https://a.cn/{place}")
        LinkVisit.objects.create(link=link, message=message, at=now + timedelta(seconds=30))
    assert visits.publish_clicks(now=now + timedelta(minutes=1)) == 0
