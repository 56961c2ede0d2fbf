import csv
import io
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from campaigns import labels
from campaigns.domain.receipts.report import message_key
from campaigns.domain.sending.fates import FateDecision
from campaigns.models import Budget, Campaign, Chunk, Message
from campaigns.services.campaigns import ticking
from campaigns.services.channels import fates
from campaigns.services.sending import dispatch
from customers.models import Event
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.roles import ensure_roles
from tests.factories.campaigns import give_budget, make_channel, make_run
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def lost(actor, now):
    """Three messages whose answers were lost, in a campaign that runs, with a budget."""
    _channel, messages = make_sent(actor, now, count=3)
    campaign = messages[0].dispatch.campaign
    rows = Message.objects.filter(dispatch__campaign=campaign)
    rows.update(state="unknown", reason="connection_lost", sent_at=None, cost_amount=Decimal(1))
    Event.objects.filter(type__name="message_sent").delete()
    Campaign.objects.filter(pk=campaign.pk).update(status="running")
    give_budget(10, committed=3)
    Chunk.objects.filter(dispatch__campaign=campaign).update(reserved_amount=3)
    campaign.refresh_from_db()
    return campaign


def _states(campaign):
    rows = Message.objects.filter(dispatch__campaign=campaign).order_by("pk")
    return list(rows.values_list("state", flat=True))


def _ids(campaign):
    return list(
        Message.objects.filter(dispatch__campaign=campaign)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def test_a5_what_was_sent_has_its_event_and_keeps_its_cost(lost, actor, now):
    chosen = _ids(lost)[:2]
    for _again in range(2):
        fates.decide(
            campaign=lost, message_ids=chosen, fate=FateDecision.WAS_SENT, actor=actor, now=now
        )
    lost.refresh_from_db()
    assert _states(lost) == ["sent", "sent", "unknown"]
    assert Event.objects.filter(type__name="message_sent").count() == 2
    assert Budget.objects.get().committed_amount == 3
    assert AuditEntry.objects.filter(action="messages.fate_decided").count() == 1


def test_a5_what_was_not_sent_fails_and_costs_nothing(lost, actor, now):
    count = fates.decide(
        campaign=lost, message_ids=None, fate=FateDecision.WAS_NOT_SENT, actor=actor, now=now
    )
    lost.refresh_from_db()
    assert count == 3
    assert _states(lost) == ["failed"] * 3
    assert Budget.objects.get().committed_amount == 0
    assert not Event.objects.filter(type__name="message_sent").exists()


def test_a5_what_was_not_sent_is_sent_again_if_the_person_says_so(lost, actor, now):
    (first, *_rest) = _ids(lost)
    count = fates.decide(
        campaign=lost, message_ids=[first], fate=FateDecision.SEND_AGAIN, actor=actor, now=now
    )
    assert count == 1
    assert _states(lost) == ["planned", "unknown", "unknown"]
    lost.refresh_from_db()
    assert Budget.objects.get().committed_amount == 2
    assert Chunk.objects.get(dispatch__campaign=lost).state == "ready"


def test_a5_a_complete_campaign_reopens_for_what_is_sent_again(lost, actor, now):
    Campaign.objects.filter(pk=lost.pk).update(status="completed", completed_at=now)
    # As the caller read it before it was complete.
    fates.decide(
        campaign=lost, message_ids=None, fate=FateDecision.SEND_AGAIN, actor=actor, now=now
    )
    lost.refresh_from_db()
    assert (lost.status, lost.completed_at) == ("running", None)
    assert _states(lost) == ["planned"] * 3
    assert AuditEntry.objects.filter(action="campaign.reopened").count() == 1
    later = now + timedelta(minutes=1)
    ticking.advance(now=later)
    dispatch.drain(holder="w", clock=lambda: later, rng=random.Random(1), slice_seconds=30)
    ticking.advance(now=later)
    assert _states(lost) == ["sent"] * 3
    lost.refresh_from_db()
    assert lost.status == "completed"


def test_a7_every_part_that_was_decided_has_its_entry(lost, actor, now, monkeypatch):
    class Killed(BaseException):
        """The process ended here."""

    monkeypatch.setattr(fates, "_BATCH", 1)
    store, calls = fates.store, []

    def killing(**arguments):
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        return store(**arguments)

    monkeypatch.setattr(fates, "store", killing)
    order = {"message_ids": None, "fate": FateDecision.WAS_NOT_SENT, "actor": actor, "now": now}
    with pytest.raises(Killed):
        fates.decide(campaign=lost, **order)
    fates.decide(campaign=lost, **order)
    entries = AuditEntry.objects.filter(action="messages.fate_decided")
    assert sum(entry.facts["count"] for entry in entries) == 3
    assert _states(lost) == ["failed"] * 3


def test_a5_nothing_is_sent_again_for_a_campaign_that_was_cancelled(lost, actor, now):
    Campaign.objects.filter(pk=lost.pk).update(status="cancelled")
    lost.refresh_from_db()
    with pytest.raises(fates.CampaignIsOver):
        fates.decide(
            campaign=lost, message_ids=None, fate=FateDecision.SEND_AGAIN, actor=actor, now=now
        )
    assert _states(lost) == ["unknown"] * 3


def test_a5_not_everybody_decides(lost, now, django_user_model):
    reader = user_actor(django_user_model.objects.create_user("reader"))
    with pytest.raises(PermissionRefused):
        fates.decide(
            campaign=lost, message_ids=None, fate=FateDecision.WAS_SENT, actor=reader, now=now
        )
    assert _states(lost) == ["unknown"] * 3


def test_a5_the_page_lists_and_decides(lost, admin_client):
    address = f"{reverse('admin:campaigns_unknown')}?campaign={lost.slug}"
    shown = admin_client.get(address, headers={"accept-language": "en"}).content.decode()
    assert shown.count('name="message"') == 3
    assert "The connection was lost before the answer" in shown
    assert "connection_lost" not in shown
    campaign_page = admin_client.get(reverse("admin:campaigns_campaign_change", args=[lost.pk]))
    assert f"?campaign={lost.slug}" in campaign_page.content.decode()
    admin_client.post(address, {"message": _ids(lost)[:1], "fate": "was_sent", "confirmed": "yes"})
    assert _states(lost) == ["sent", "unknown", "unknown"]
    admin_client.post(address, {"all": "on", "fate": "was_not_sent", "confirmed": "yes"})
    assert _states(lost) == ["sent", "failed", "failed"]


@pytest.fixture
def both(lost, actor, now):
    """A second campaign on another channel, three of whose messages went out two days later."""
    later = now + timedelta(days=2)
    campaign = Campaign.objects.create(
        slug="second", name="Second", status="completed", goal_event="x",
        created_at=now, updated_at=now,
    )  # fmt: skip
    channel = make_channel("sms")
    run = make_run(campaign, channel=channel, due_at=later)
    people = Message.objects.filter(dispatch__campaign=lost).values_list("customer", flat=True)
    Message.objects.bulk_create(
        Message(dispatch=run, customer_id=pk, state="unknown", planned_at=later, attempted_at=later)
        for pk in people
    )
    Message.objects.filter(dispatch__campaign=lost).update(attempted_at=now)
    return lost, campaign


def _found(client, **filters):
    page = client.get(reverse("admin:campaigns_unknown"), filters).context["page"]
    return {message.dispatch.campaign.slug for message in page}, page.paginator.count


def test_a5_messages_are_found_by_channel_campaign_and_the_companys_day(both, admin_client, now):
    first, second = both
    assert _found(admin_client) == ({first.slug, "second"}, 6)
    assert _found(admin_client, campaign="second") == ({"second"}, 3)
    assert _found(admin_client, channel="sms-memory") == ({"second"}, 3)
    # 01:30 in Shanghai is the day before in UTC.
    night = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
    Message.objects.filter(dispatch__campaign=second).update(attempted_at=night)
    assert _found(admin_client, day="2026-03-07") == ({"second"}, 3)
    assert _found(admin_client, day="2026-03-06") == (set(), 0)
    days = admin_client.get(reverse("admin:campaigns_unknown")).context["days"]
    assert [(f"{day}", count) for day, count in days] == [("2026-03-07", 3), ("2026-03-04", 3)]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a5_a_choice_over_several_campaigns_is_asked_about_before_it_is_taken(
    both, admin_client, language
):
    first, second = both
    address = reverse("admin:campaigns_unknown")
    chosen = [*_ids(first)[:2], *_ids(second)[:1]]
    question = admin_client.post(
        address,
        {"message": chosen, "fate": "was_not_sent"},
        headers={"accept-language": language},
    )
    html = question.content.decode()
    assert _states(first) == ["unknown"] * 3
    assert question.context["total"] == 3
    assert question.context["counts"] == [(second.name, 1), (first.name, 2)]
    with translation.override(language):
        assert labels.FATES.hint("was_not_sent") in unescape(html)
    hidden = {"messages": question.context["messages_chosen"], "fate": "was_not_sent"}
    admin_client.post(address, {**hidden, "confirmed": "yes"})
    assert _states(first) == ["failed", "failed", "unknown"]
    assert _states(second) == ["failed", "unknown", "unknown"]
    entries = AuditEntry.objects.filter(action="messages.fate_decided")
    assert {(entry.object_id, entry.facts["count"]) for entry in entries} == {
        (str(first.pk), 2),
        (str(second.pk), 1),
    }


def test_a5_nothing_is_decided_where_one_of_the_campaigns_may_not_be(both, actor, now):
    first, second = both
    Campaign.objects.filter(pk=second.pk).update(status="cancelled")
    with pytest.raises(fates.CampaignIsOver) as refused:
        fates.decide_selection(
            message_ids=[*_ids(first), *_ids(second)],
            fate=FateDecision.SEND_AGAIN,
            actor=actor,
            now=now,
        )
    assert "Second" in refused.value.message
    assert _states(first) == ["unknown"] * 3


def test_a5_who_may_decide_finds_the_page_from_the_overview(lost, django_user_model):
    ensure_roles()
    address = reverse("admin:campaigns_unknown")
    for role in Role:
        user = django_user_model.objects.create_user(f"u-{role}", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        page = client.get(reverse("admin:index")).content.decode()
        decides = role in {Role.MARKETER, Role.APPROVER}
        # In a note that says how many there are; approvers have it in their menu too.
        assert page.count(f'href="{address}"') == decides + (role == Role.APPROVER)
        listed = client.get(address)
        assert bool(listed.context["buttons"]) == decides


def test_u50_the_page_and_its_file_give_what_the_provider_is_asked_by(lost, admin_client, now):
    Message.objects.filter(dispatch__campaign=lost).update(attempted_at=now)
    message = Message.objects.filter(dispatch__campaign=lost).select_related("dispatch").first()
    key = message_key(message.dispatch.key_space, message.pk)
    page = admin_client.get(reverse("admin:campaigns_unknown"), {"campaign": lost.slug})
    row = page.context["rows"][0]
    assert row["trace"].key == key
    assert "***@" in row["trace"].address
    shown = page.content.decode()
    assert f"<code>{key}</code>" in shown
    answer = admin_client.get(page.context["export_url"])
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0]["key"] == key
    assert len(lines) == 3
    assert all("***@" in line["address"] and line["handed_over_at"] for line in lines)
    assert AuditEntry.objects.get(action="messages.unknown_export").facts["count"] == 3


def test_u50_who_decides_nothing_gets_no_file(lost, client, django_user_model):
    ensure_roles()
    reader = django_user_model.objects.create_user("reader", is_staff=True)
    reader.groups.add(Group.objects.get(name="analyst"))
    client.force_login(reader)
    page = client.get(reverse("admin:campaigns_unknown"))
    assert page.context["export_url"] == ""
    assert client.get(reverse("admin:campaigns_unknown_export")).status_code == 403


def test_u50_a_page_of_traces_needs_few_queries(lost, admin_client):
    with CaptureQueriesContext(connection) as captured:
        admin_client.get(reverse("admin:campaigns_unknown"), {"campaign": lost.slug})
    points = [query for query in captured if "customers_contactpoint" in query["sql"]]
    assert len(points) <= 2


@pytest.mark.parametrize("may_decide", [True, False])
def test_who_may_only_look_is_told_who_decides(lost, client, django_user_model, may_decide):
    ensure_roles()
    user = django_user_model.objects.create_user("one", is_staff=True)
    rights = ["view_campaign", *(["launch_campaign"] if may_decide else [])]
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    page = client.get(reverse("admin:campaigns_unknown"), headers={"accept-language": "en"})
    text = " ".join(page.content.decode().split())
    told = "Ask somebody with one of these roles to decide: Approver, Marketer."
    assert (told in text) != may_decide
    assert (page.content.decode().count('name="fate"') > 0) == may_decide
    Group.objects.get(name=Role.APPROVER).permissions.clear()
    Group.objects.get(name=Role.MARKETER).permissions.clear()
    page = client.get(reverse("admin:campaigns_unknown"), headers={"accept-language": "en"})
    assert ("No role may decide" in page.content.decode()) != may_decide
