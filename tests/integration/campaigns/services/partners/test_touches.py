import csv
import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from campaigns.domain.partners.touches import TouchChannel
from campaigns.models import Campaign, Dispatch, Message, Variant
from campaigns.services.partners import touches
from campaigns.services.partners.past_campaigns import (
    CampaignNotImported,
    GoalFixed,
    PastCampaign,
    PastGoal,
)
from customers.models import Event
from customers.services.sources.balance import RowsUnbalanced
from loancrm.kernel.models import AuditEntry
from tests.factories.links import make_linked

ROWS = [
    {"external_id": "c1", "touched_at": "2026-02-02T10:00:00+08:00", "variant": "B", "cost": "2"},
    {"external_id": "c1", "touched_at": "2026-02-01T10:00:00+08:00", "variant": "A", "cost": "1.5"},
    {"external_id": "c2", "touched_at": "2026-02-03T10:00:00+08:00", "variant": "B", "cost": ""},
    {"external_id": "zz", "touched_at": "2026-02-03T10:00:00+08:00", "variant": "B", "cost": "1"},
    {"external_id": "c2", "touched_at": "", "variant": "", "cost": ""},
]
PHONE = PastCampaign("winter", TouchChannel.PHONE)


def _file(tmp_path, rows, name="touches.csv"):
    path = tmp_path / name
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _messages():
    rows = Message.objects.order_by("customer__external_id")
    return list(
        rows.values_list(
            "customer__external_id", "state", "sent_at", "variant__key", "attempts", "cost_amount"
        )
    )


@pytest.mark.sql
@pytest.mark.django_db
def test_each_person_gets_one_delivered_message_at_the_first_touch(actor, now, tmp_path):
    make_linked(["c1", "c2", "c3"])

    result = touches.import_touches(actor=actor, path=_file(tmp_path, ROWS), past=PHONE, now=now)

    assert (result.rows, result.touches, result.exposed, result.created) == (5, 3, 2, 2)
    assert (result.rejected, result.other_rows) == (2, 0)
    assert result.by_reason == {"person_unknown": 1, "time_missing": 1}
    assert _messages() == [
        ("c1", "delivered", datetime(2026, 2, 1, 2, tzinfo=UTC), "A", 2, Decimal("3.5")),
        ("c2", "delivered", datetime(2026, 2, 3, 2, tzinfo=UTC), "B", 1, Decimal(0)),
    ]
    assert Event.objects.filter(type__name="call_made", subject="winter").count() == 3
    campaign = Campaign.objects.get()
    assert (campaign.slug, campaign.status) == ("winter", "imported")
    assert (campaign.goal_event, campaign.goal_window_days) == ("application_submitted", 7)
    dispatch = Dispatch.objects.get()
    assert (dispatch.channel_kind, dispatch.status, dispatch.audience_count) == (
        "phone",
        "completed",
        2,
    )


@pytest.mark.sql
@pytest.mark.django_db
def test_any_order_and_repetition_leave_the_same_messages(actor, now, tmp_path):
    make_linked(["c1", "c2", "c3"])
    touches.import_touches(actor=actor, path=_file(tmp_path, ROWS), past=PHONE, now=now)
    expected = _messages()
    touches.import_touches(actor=actor, path=_file(tmp_path, ROWS), past=PHONE, now=now)
    assert _messages() == expected
    Campaign.objects.get().dispatches.get().messages.all().delete()
    Event.objects.all().delete()

    shuffled = ROWS[:]
    random.Random(1).shuffle(shuffled)
    for at, row in enumerate(shuffled):
        path = _file(tmp_path, [row], f"{at}.csv")
        touches.import_touches(actor=actor, path=path, past=PHONE, now=now)

    assert _messages() == expected


@pytest.mark.sql
@pytest.mark.django_db
def test_each_part_of_a_file_leaves_an_entry_though_the_whole_comes_to_no_end(
    actor, now, tmp_path, monkeypatch
):
    make_linked(["c1", "c2", "c3"])
    path = _file(tmp_path, ROWS)
    monkeypatch.setattr(touches, "_BATCH", 2)

    def unbalanced(*_given, **_counts):
        raise RowsUnbalanced("astray")

    entries = AuditEntry.objects.filter(action="touches.import", object_id="winter")
    with monkeypatch.context() as patched:
        patched.setattr(touches, "require_balance", unbalanced)
        with pytest.raises(RowsUnbalanced):
            touches.import_touches(actor=actor, path=path, past=PHONE, now=now)
    assert [entry.facts["messages"] for entry in entries.order_by("pk")] == [1, 1]
    assert {entry.actor_id for entry in entries} == {actor.id}

    touches.import_touches(actor=actor, path=path, past=PHONE, now=now)
    whole = entries.order_by("pk")[2:]
    assert [(entry.facts["rows"], entry.facts["created"]) for entry in whole] == [(5, 0)]


@pytest.mark.django_db
def test_rows_about_other_events_are_not_touches(actor, now, tmp_path):
    make_linked(["c1"])
    rows = [
        {"external_id": "c1", "event": "call_made", "occurred_at": "2026-02-01", "event_id": "a"},
        {"external_id": "c1", "event": "app_login", "occurred_at": "2026-02-01", "event_id": "b"},
    ]

    result = touches.import_touches(actor=actor, path=_file(tmp_path, rows), past=PHONE, now=now)

    assert (result.touches, result.other_rows, result.rejected) == (1, 1, 0)
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_a_second_channel_is_a_second_dispatch_of_the_same_campaign(actor, now, tmp_path):
    make_linked(["c1", "c2"])
    path = _file(tmp_path, ROWS)
    touches.import_touches(actor=actor, path=path, past=PHONE, now=now)

    sms = PastCampaign("winter", TouchChannel.SMS)
    result = touches.import_touches(actor=actor, path=path, past=sms, now=now)

    assert result.created == 2
    assert Campaign.objects.count() == 1
    assert set(Dispatch.objects.values_list("channel_kind", flat=True)) == {"phone", "sms"}
    assert Event.objects.filter(type__name="message_delivered").count() == 3


@pytest.mark.django_db
def test_a_campaign_that_was_run_here_takes_no_foreign_touches(actor, now, tmp_path):
    make_linked(["c1"])
    Campaign.objects.create(slug="winter", name="w", goal_event="x", created_at=now, updated_at=now)

    with pytest.raises(CampaignNotImported):
        touches.import_touches(actor=actor, path=_file(tmp_path, ROWS), past=PHONE, now=now)

    assert (Message.objects.count(), Event.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_the_goal_of_a_past_campaign_is_fixed(actor, now, tmp_path):
    make_linked(["c1"])
    path = _file(tmp_path, ROWS)
    touches.import_touches(actor=actor, path=path, past=PHONE, now=now)

    with pytest.raises(GoalFixed):
        touches.import_touches(
            actor=actor,
            path=path,
            past=PastCampaign("winter", TouchChannel.PHONE, PastGoal(window_days=30)),
            now=now,
        )

    assert Campaign.objects.get().goal_window_days == 7
    assert Variant.objects.get().key == "A"


@pytest.mark.sql
@pytest.mark.django_db
def test_b6_an_event_id_of_any_length_is_taken_once(actor, now, tmp_path):
    make_linked(["c1"])
    row = {"external_id": "c1", "touched_at": "2026-02-02T10:00:00+08:00", "cost": "1"}
    rows = [row | {"event_id": "x" * 5_000 + end} for end in ("a", "b", "b")]

    result = touches.import_touches(actor=actor, path=_file(tmp_path, rows), past=PHONE, now=now)

    assert (result.rows, result.touches, result.rejected) == (3, 3, 0)
    assert Event.objects.filter(subject="winter").count() == 2
    assert Message.objects.get().cost_amount == Decimal(2)
