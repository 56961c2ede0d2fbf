"""The list of campaigns: tabs, filters, columns in people, the menu of a line, its fixed cost."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign, CampaignCost, CampaignTag, Message
from campaigns.selectors.desk import list_facts
from campaigns.services.campaigns import authoring
from campaigns.services.desk import filing
from loancrm.kernel import clock, roles
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, make_launched, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LIST = "admin:campaigns_campaign_changelist"


def _client(role: Role, name: str = "mara") -> Client:
    roles.ensure_roles()
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def _draft(slug: str, actor, **changes) -> Campaign:
    return authoring.create_campaign(
        source=spec(slug=slug, name=slug, **changes), actor=actor, now=clock.now()
    )


def _shown(client: Client, **query: str) -> set[str]:
    answer = client.get(reverse(LIST), query)
    assert answer.status_code == 200
    return {row.slug for row in answer.context["cl"].result_list}


@pytest.fixture
def launched(actor):
    make_channel()
    make_people(8)
    return make_launched(actor, clock.now()).campaign


def test_the_numbers_are_people_money_and_the_next_time(launched, actor):
    keys = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    Message.objects.filter(pk__in=keys[:3]).update(
        state=MessageState.DELIVERED, cost_amount=Decimal("0.05")
    )
    CampaignCost.objects.create(
        campaign=launched, category="media", amount=Decimal(10), incurred_on=clock.today()
    )
    soon = (clock.now() + timedelta(days=2)).replace(microsecond=0)
    draft = _draft("draft", actor, schedule={"start_at": soon.isoformat()})

    found = list_facts.facts_of([launched, draft], now=clock.now())

    facts = found[launched.pk]
    assert (facts.done, facts.total, facts.delivered) == (3, 8, 3)
    assert facts.cost_amount == Decimal("10.15")
    assert found[draft.pk].next_at == soon
    page = _client(Role.MARKETER).get(reverse(LIST)).content.decode()
    assert "¥10.15" in page
    assert reverse("reports:brief", args=[launched.pk]) in page
    assert reverse("reports:brief", args=[draft.pk]) not in page


def test_the_tabs_count_every_status_and_lead_to_it(launched, actor):
    for slug in ("one", "two"):
        _draft(slug, actor)
    client = _client(Role.MARKETER)
    tabs = client.get(reverse(LIST), {"status": "draft"}).context["cl"].status_tabs

    counts = {tab["label"]: tab["count"] for tab in tabs}
    assert counts == {"All": 3, "Draft": 2, "Running": 1}
    assert [tab["label"] for tab in tabs if tab["is_current"]] == ["Draft"]
    assert _shown(client, status="running") == {"spring"}


def test_each_filter_and_the_search_leave_what_fits(launched, actor):
    other = user_actor(User.objects.create_superuser("other"))
    sms = make_channel("sms")
    mine = _draft("mine", other, segment=launched.segment.slug)
    filing.file_campaign(
        campaign=mine, folder="2026 春", tags=["回流", "高额"], actor=other, now=clock.now()
    )
    later = (clock.now() + timedelta(days=5)).isoformat()
    _draft(
        "texted",
        actor,
        channel=sms.slug,
        content={"zh-hans": {"text": "{{ name }}您好"}},
        schedule={"start_at": later},
    )
    client = _client(Role.MARKETER)

    assert _shown(client, channel=str(sms.pk)) == {"texted"}
    assert _shown(client, owner=str(other.user.pk)) == {"mine"}
    assert _shown(client, **{"for": str(launched.segment_id)}) == {"mine", "spring"}
    assert _shown(client, when="7") == {"spring"}
    assert _shown(client, when="coming") == {"texted"}
    assert _shown(client, tag="回流") == {"mine"}
    assert _shown(client, folder="2026 春") == {"mine"}
    assert _shown(client, q="高额") == _shown(client, q="2026 春") == {"mine"}
    assert _shown(client, channel="x") == {"mine", "texted", "spring"}


def test_the_menu_of_a_line_offers_what_its_reader_may_do(launched, actor):
    client = _client(Role.MARKETER)

    def menu() -> dict[str, dict[str, str]]:
        (row,) = client.get(reverse(LIST)).context["cl"].result_list
        return {item["text"]: item for item in row.row_menu}

    found = menu()
    assert list(found) == ["Look at it", "Report", "Pause", "Copy", "Folder and tags"]
    answer = client.post(found["Pause"]["step"], {"next": found["Pause"]["next"]})
    assert answer.url == reverse(LIST)
    assert Campaign.objects.get().status == CampaignStatus.PAUSED
    assert "Go on" in menu()

    analyst = _client(Role.ANALYST, "ana").get(reverse(LIST)).context["cl"].result_list[0]
    assert [item["text"] for item in analyst.row_menu] == ["Look at it", "Report"]


def test_the_report_tells_the_list_what_it_was_worth_only_to_readers_of_reports(launched):
    address = reverse("reports:brief", args=[launched.pk])
    told = _client(Role.ANALYST, "ana").get(address).json()
    assert told["converted"] == "0"
    assert told["lift"]
    assert _client(Role.STEWARD, "stu").get(address).status_code == 403
    assert _client(Role.MARKETER).get(reverse("reports:brief", args=[0])).status_code == 404


def test_the_list_costs_as_many_queries_for_one_as_for_many(launched, actor):
    client = _client(Role.MARKETER)

    def cost() -> int:
        client.get(reverse(LIST))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(LIST))
        return len(queries)

    one = cost()
    for number in range(4):
        made = make_launched(actor, clock.now(), slug=f"more-{number}").campaign
        CampaignTag.objects.create(campaign=made, name="回流")
    assert cost() == one


def test_a_campaign_is_put_away_whatever_its_state_and_only_what_changes_is_noted(launched, actor):
    now = clock.now()

    def file(tags, folder="春") -> None:
        filing.file_campaign(campaign=launched, folder=folder, tags=tags, actor=actor, now=now)

    file([" 回流 ", "高额", "回流", ""])
    file(["高额", "回流"])
    filed = AuditEntry.objects.filter(action="campaign.filed")
    assert filed.count() == 1
    file(["高额"])

    assert [tag.name for tag in launched.tags.all()] == ["高额"]
    assert (Campaign.objects.get().folder, filed.count()) == ("春", 2)
    for folder, tags in (("x" * 61, []), ("", ["x" * 41]), ("", [str(at) for at in range(21)])):
        with pytest.raises(filing.FilingRefused):
            file(tags, folder)
    with pytest.raises(PermissionRefused):
        filing.file_campaign(
            campaign=launched,
            folder="",
            tags=[],
            actor=user_actor(User.objects.create_user("nobody")),
            now=now,
        )


def test_the_page_of_folder_and_tags_saves_and_comes_back_with_a_refusal(launched):
    client = _client(Role.MARKETER)
    address = reverse("admin:campaigns_campaign_filing", args=[launched.pk])
    answer = client.post(address, {"folder": "春", "tags": "回流，高额, 回流"})
    assert answer.url == reverse(LIST)
    assert sorted(launched.tags.values_list("name", flat=True)) == sorted(["回流", "高额"])
    page = client.get(address).content.decode()
    assert 'value="春"' in page
    refused = client.post(address, {"folder": "x" * 61, "tags": ""})
    assert refused.status_code == 200
    assert "A folder has at most 60 characters" in refused.content.decode()
    assert _client(Role.ANALYST, "ana").get(address).status_code == 403
