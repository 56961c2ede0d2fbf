"""What is shared is seen, and nothing else: every end point, every kind of caller."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from guardian.shortcuts import assign_perm

from campaigns.models import Campaign
from campaigns.services.partners import contracts
from customers.models import Customer, Segment, SegmentVersion
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, is_allowed, partner_actor, require
from tests.partner_client import ACTOR, ROOT, PartnerClient

pytestmark = pytest.mark.sql

READS = [
    "campaigns/spring/report",
    "segments/everyone/count",
]


@pytest.fixture
def campaign(db: None) -> Campaign:
    return new_campaign("spring")


@pytest.fixture
def segment(db: None) -> Segment:
    return versions.create_segment(
        actor=ACTOR,
        slug="everyone",
        name="Everyone",
        rule={"combinator": "and", "rules": []},
        now=clock.now(),
    )


@pytest.fixture
def shared(acme: PartnerClient, campaign: Campaign, segment: Segment) -> PartnerClient:
    for item in (campaign, segment):
        contracts.share(actor=ACTOR, partner=acme.partner, shared=item, now=clock.now())
    return acme


def new_campaign(slug: str, **fields: Any) -> Campaign:
    return Campaign.objects.create(
        slug=slug,
        name=slug.title(),
        goal_event="application_submitted",
        created_at=clock.now(),
        updated_at=clock.now(),
        **fields,
    )


def _add_customers(count: int) -> None:
    now = clock.now()
    Customer.objects.bulk_create([Customer(created_at=now, updated_at=now) for _ in range(count)])


def test_shared_objects_are_listed_counted_and_reported(shared: PartnerClient) -> None:
    _add_customers(12)
    new_campaign("not-shared")

    listed = shared.get("campaigns").json()
    assert [row["slug"] for row in listed["results"]] == ["spring"]
    assert listed["next_cursor"] is None
    assert [row["id"] for row in shared.get("segments").json()["results"]] == ["everyone"]
    counted = shared.get("segments/everyone/count").json()
    assert (counted["count"], counted["is_below_threshold"]) == (12, False)
    report = shared.get("campaigns/spring/report").json()
    assert (report["campaign"], report["audience"], report["goal"]["window_days"]) == (
        "spring",
        0,
        7,
    )


@pytest.mark.parametrize(
    ("people", "count", "is_hidden"),
    [(0, 0, False), (1, None, True), (9, None, True), (10, 10, False)],
)
def test_a_count_that_could_be_about_one_person_is_not_told(
    shared: PartnerClient, people: int, count: int | None, is_hidden: bool
) -> None:
    _add_customers(people)

    counted = shared.get("segments/everyone/count").json()

    assert (counted["count"], counted["is_below_threshold"]) == (count, is_hidden)


def test_a_rule_that_no_longer_fits_is_not_explained_to_partners(
    shared: PartnerClient, segment: Segment
) -> None:
    rule = {"combinator": "and", "rules": [{"field": "secret", "operator": "=", "value": 1}]}
    SegmentVersion.objects.filter(segment=segment).update(rule=rule)

    response = shared.get("segments/everyone/count")

    assert (response.status_code, response.json()["code"]) == (503, "segment_not_countable")
    assert b"secret" not in response.content


@pytest.mark.parametrize("path", READS)
def test_what_is_not_shared_does_not_exist(
    shared: PartnerClient, bolt: PartnerClient, path: str
) -> None:
    hidden = bolt.get(path)
    missing = bolt.get(path.replace("spring", "nowhere").replace("everyone", "nobody"))

    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() == missing.json()
    assert shared.get(path).status_code == 200


def test_lists_of_a_partner_without_shares_are_empty(
    shared: PartnerClient, bolt: PartnerClient
) -> None:
    assert bolt.get("campaigns").json() == {"results": [], "next_cursor": None}
    assert bolt.get("segments").json() == {"results": [], "next_cursor": None}


def _global_permission(user: User) -> None:
    user.user_permissions.set(Permission.objects.all())


def _role(user: User) -> None:
    group = Group.objects.create(name="wide role")
    group.permissions.set(Permission.objects.all())
    user.groups.add(group)


def _shared_group(user: User) -> None:
    group = Group.objects.create(name="insiders")
    user.groups.add(group)
    assign_perm("campaigns.view_report", group, Campaign.objects.get())
    assign_perm("customers.view_segment", group, Segment.objects.get())


def _superuser(user: User) -> None:
    user.is_superuser = True
    user.save()


@pytest.mark.parametrize("grant", [_global_permission, _role, _shared_group, _superuser])
@pytest.mark.parametrize("path", READS)
def test_no_role_opens_what_is_not_shared(
    shared: PartnerClient, bolt: PartnerClient, grant: Callable[[User], None], path: str
) -> None:
    grant(bolt.partner.user)

    assert bolt.get(path).status_code == 404


def test_a_role_of_a_partners_user_opens_no_service_either(
    bolt: PartnerClient, campaign: Campaign
) -> None:
    _role(bolt.partner.user)
    actor = partner_actor(User.objects.get(pk=bolt.partner.user_id), bolt.partner.pk)

    assert not is_allowed(actor, "campaigns.view_report", campaign)
    with pytest.raises(PermissionRefused):
        require(actor, "customers.import_customers")


@pytest.mark.parametrize("path", READS)
def test_a_share_can_be_taken_back(
    shared: PartnerClient, campaign: Campaign, segment: Segment, path: str
) -> None:
    for item in (campaign, segment):
        contracts.unshare(actor=ACTOR, partner=shared.partner, shared=item, now=clock.now())

    assert shared.get(path).status_code == 404


def test_a_new_object_with_the_id_of_a_deleted_one_is_not_shared(
    shared: PartnerClient, campaign: Campaign
) -> None:
    key = campaign.pk
    campaign.delete()
    new_campaign("successor", pk=key)

    assert shared.get("campaigns/successor/report").status_code == 404
    assert shared.get("campaigns").json()["results"] == []


@pytest.mark.parametrize(
    "path",
    [*READS, "campaigns", "segments", "leads/00000000-0000-0000-0000-000000000000"],
)
@pytest.mark.parametrize("role", ["nobody", "customer service", "superuser"])
def test_only_partners_tokens_open_the_partners_door(
    shared: PartnerClient, path: str, role: str
) -> None:
    client = Client()
    if role != "nobody":
        user = User.objects.create(username="u", is_superuser=role == "superuser", is_staff=True)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(ROOT + path).status_code == 401


@pytest.mark.parametrize(
    "query",
    ["phone__startswith=138", "ordering=name_index", "search=138", "partner=2", "user=1"],
)
def test_query_parameters_neither_filter_nor_order(shared: PartnerClient, query: str) -> None:
    assert shared.get(f"campaigns?{query}").json() == shared.get("campaigns").json()


def test_pages_follow_each_other_without_gap_or_repetition(acme: PartnerClient) -> None:
    slugs = [f"c{number}" for number in range(5)]
    for slug in slugs:
        contracts.share(
            actor=ACTOR, partner=acme.partner, shared=new_campaign(slug), now=clock.now()
        )
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        page = acme.get(f"campaigns?limit=2{cursor}").json()
        seen += [row["slug"] for row in page["results"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert seen == slugs[::-1]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=²", "cursor=!!", "cursor=djE6LTE", "cursor=%00"],
)
def test_a_senseless_page_is_400(acme: PartnerClient, query: str) -> None:
    response = acme.get(f"campaigns?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "cursor_malformed")
