"""The calendar: past and coming sends, runs by a calendar, holidays, hours, fixed cost, words."""

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.domain.campaigns.sends import SendKind
from campaigns.models import CalendarDay, Campaign, Dispatch
from campaigns.selectors.campaigns.work_calendar import CompanyCalendar
from campaigns.selectors.desk import planned_sends
from campaigns.services.campaigns import authoring
from customers.models import Segment
from loancrm.kernel import clock, roles
from loancrm.kernel.manifest import Role
from tests.factories.campaigns import make_channel, make_launched, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
MARCH = {"view": "month", "day": "2026-03-09"}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.fixture
def client_of(db):
    def signed_in(role: str = Role.MARKETER, language: str = "en") -> Client:
        roles.ensure_roles()
        user, _new = User.objects.get_or_create(username=f"one-{role}", is_staff=True)
        user.groups.add(*Group.objects.filter(name=role))
        client = Client(headers={"accept-language": language})
        client.force_login(User.objects.get(pk=user.pk))
        return client

    return signed_in


def _draft(actor, slug: str, start: str, **schedule) -> Campaign:
    source = spec(slug=slug, name=slug, schedule={"start_at": f"{start}+08:00", **schedule})
    return authoring.create_campaign(source=source, actor=actor, now=clock.now())


def _cells(answer) -> dict[str, dict]:
    return {str(cell["day"]): cell for week in answer.context["weeks"] for cell in week}


def test_past_scheduled_and_coming_sends_stand_on_their_days(actor, client_of):
    make_channel()
    make_people(4)
    launched = make_launched(actor, clock.now(), slug="past")
    Dispatch.objects.update(due_at=_at("2026-03-03T10:00:00"))
    _draft(actor, "one", "2026-03-05T10:00:00")
    _draft(
        actor,
        "weekly",
        "2026-03-02T21:30:00",
        repeat={"every": "week", "weekdays": ["mon"], "until": "2026-03-20"},
    )
    Segment.objects.exclude(pk=launched.campaign.segment_id).update(last_count=70)

    cells = _cells(client_of().get(reverse("calendar:index"), MARCH))

    shown = {day: [send["name"] for send in cell["sends"]] for day, cell in cells.items()}
    assert {day: names for day, names in shown.items() if names} == {
        "2026-03-02": ["weekly"],
        "2026-03-03": [launched.campaign.name],
        "2026-03-05": ["one"],
        "2026-03-09": ["weekly"],
        "2026-03-16": ["weekly"],
    }
    (past,), (one,), (weekly,) = (
        cells[day]["sends"] for day in ("2026-03-03", "2026-03-05", "2026-03-09")
    )
    assert (past["people"], past["is_estimate"]) == (4, False)
    assert (one["people"], one["is_estimate"], one["kind"]) == (70, True, "Not launched yet")
    assert (one["is_quiet"], weekly["is_quiet"]) == (False, True)
    assert cells["2026-03-05"]["volumes"] == [("E-mail", 70, True)]


def test_the_next_runs_of_a_running_campaign_are_shown_from_the_next_one_on(actor):
    make_channel()
    campaign = _draft(
        actor, "daily", "2026-03-02T10:00:00", repeat={"every": "day", "until": "2026-03-06"}
    )
    Campaign.objects.filter(pk=campaign.pk).update(
        status="running", next_run_at=_at("2026-03-04T10:00:00")
    )

    found = planned_sends.between(
        _at("2026-03-01T00:00:00"), _at("2026-04-01T00:00:00"), calendar=CompanyCalendar()
    )

    assert {send.kind for send in found} == {SendKind.COMING_RUN}
    assert [send.at for send in found] == [_at(f"2026-03-0{day}T10:00:00") for day in (4, 5, 6)]


def test_holidays_and_the_same_segment_twice_a_day_are_marked(actor, client_of):
    make_channel()
    first = _draft(actor, "first", "2026-03-05T10:00:00")
    second = _draft(actor, "second", "2026-03-05T15:00:00")
    Campaign.objects.filter(pk=second.pk).update(segment=first.segment)
    CalendarDay.objects.create(day="2026-03-06", is_workday=False)
    cells = _cells(client_of().get(reverse("calendar:index"), MARCH))

    assert [send["is_met"] for send in cells["2026-03-05"]["sends"]] == [True, True]
    assert cells["2026-03-06"]["is_holiday"]
    assert not cells["2026-03-05"]["is_holiday"]


def test_it_is_read_in_both_languages_by_week_and_by_month(actor, client_of):
    make_channel()
    _draft(actor, "late", "2026-03-05T22:00:00")
    address = reverse("calendar:index")
    for language, words in (
        ("en", ("March 2026", "outside the hours of sending", "Month", "Not launched yet")),
        ("zh-hans", ("2026年3月", "不在可发送时段", "月", "尚未启动")),
    ):
        page = client_of(language=language).get(address, MARCH).content.decode()
        assert [word for word in words if word not in page] == []
    week = client_of().get(address, {"view": "week", "day": "2026-03-05"})
    assert list(_cells(week))[::6] == ["2026-03-02", "2026-03-08"]
    assert "view=week&amp;day=2026-03-12" in week.content.decode()
    for day in ("0001-01-01", "9999-12-31", "nonsense"):
        assert client_of().get(address, {"day": day}).status_code == 200


def test_an_empty_time_says_so_and_leads_on_and_nobody_without_the_right_looks(client_of):
    page = client_of().get(reverse("calendar:index"), MARCH).content.decode()
    assert "No campaign begins in this time" in page
    assert reverse("admin:campaigns_campaign_add") in page
    assert client_of("nobody").get(reverse("calendar:index")).status_code == 403


def test_the_calendar_costs_as_many_queries_for_one_as_for_many(actor, client_of):
    make_channel()
    client = client_of()

    def cost() -> int:
        client.get(reverse("calendar:index"), MARCH)
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("calendar:index"), MARCH)
        return len(queries)

    _draft(actor, "a1", "2026-03-05T10:00:00")
    one = cost()
    for at in range(2, 6):
        _draft(actor, f"a{at}", f"2026-03-1{at}T10:00:00", repeat={"every": "day"})
    assert cost() == one
