"""The report's page and the overview: who may read them, and that unknown is never zero."""

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from guardian.shortcuts import assign_perm

from campaigns.models import Campaign
from loancrm.kernel import roles
from loancrm.kernel.access import Actor
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def signed_in(name: str, *groups: str, language: str = "en") -> tuple[User, Client]:
    """Return a new user with these roles and a client for it."""
    roles.ensure_roles()
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user, client


@pytest.fixture
def report_url(actor: Actor, now: datetime) -> str:
    """A campaign whose messages are all still planned."""
    make_channel("email")
    make_people(5)
    dispatch = make_launched(actor, now)
    return reverse("reports:campaign", args=[dispatch.campaign.slug])


def test_a_report_without_a_control_group_says_so_in_both_languages(report_url: str) -> None:
    _user, english = signed_in("ana", "analyst")
    page = english.get(report_url)
    assert page.context["verdict_tone"] == "warn"
    assert b"Without a control group nobody can say" in page.content
    figures = {row["metric"]: row for row in page.context["figures"]}
    assert figures["Conversion (of all eligible)"]["numerator"] == "0"
    assert figures["Cost per conversion (fully loaded)"]["value"] == "–"


def test_a_report_is_hidden_from_those_who_may_not_read_it(report_url: str) -> None:
    user, client = signed_in("guest")
    assert client.get(report_url).status_code == 404
    assert client.get(reverse("reports:index")).context["rows"] == []
    assign_perm("campaigns.view_report", user, Campaign.objects.get())
    assert client.get(report_url).status_code == 200
    assert len(client.get(reverse("reports:index")).context["rows"]) == 1


def test_the_overview_is_for_people_with_a_role(report_url: str) -> None:
    _user, stranger = signed_in("stranger")
    assert b"You have no role yet" in stranger.get(reverse("admin:index")).content
    _user, marketer = signed_in("mara", "marketer")
    page = marketer.get(reverse("admin:index"))
    assert page.context["tiles"][0].value == "5"
    assert page.context["overview"].reachable == {"sms": 5, "email": 5}


def test_the_overview_costs_a_fixed_number_of_queries(report_url: str) -> None:
    _user, client = signed_in("mara", "marketer")
    client.get(reverse("admin:index"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("admin:index"))
    make_people(30, prefix="z")
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("admin:index"))
    assert len(many) == len(few)


def test_u27_reachable_counts_persons_whom_any_channel_reaches(report_url: str) -> None:
    make_people(3, kinds=("phone",), consents=("sms",), prefix="s")
    make_people(4, kinds=("email",), consents=("email",), prefix="e")
    _user, client = signed_in("mara", "marketer")
    page = client.get(reverse("admin:index"))
    assert page.context["overview"].reachable == {"sms": 8, "email": 9}
    assert page.context["tiles"][0].basis == "Reachable 12: SMS 8 · e-mail 9"
