"""What waits for whom: never one's own, and counted in one query."""

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.domain.approvals import ApprovalKind
from analytics.models import PolicyVersion
from analytics.selectors.desk import approvals
from campaigns.models import Campaign
from campaigns.services.campaigns import approval, authoring
from customers.models import Segment, SegmentExport
from loancrm.kernel import roles
from loancrm.kernel.access import user_actor
from loancrm.kernel.manifest import Role
from tests.factories.campaigns import make_channel, spec

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def person(name: str, *of: Role) -> User:
    roles.ensure_roles()
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(*Group.objects.filter(name__in=of))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def submitted(now: datetime) -> Campaign:
    make_channel()
    author = user_actor(person("writer", Role.MARKETER, Role.APPROVER))
    campaign = authoring.create_campaign(source=spec(), actor=author, now=now)
    return authoring.submit_for_review(campaign=campaign, actor=author, now=now)


def test_a_campaign_waits_for_everybody_who_may_approve_but_not_for_who_wrote_it(submitted, now):
    approver = person("bob", Role.APPROVER)

    (waits,) = approvals.waiting(approver)

    assert (waits.kind, waits.key, waits.by) == (ApprovalKind.CAMPAIGN, submitted.pk, "writer")
    assert approvals.count(approver) == 1
    writer = User.objects.get(username="writer")
    assert (approvals.count(writer), list(approvals.waiting(writer))) == (0, [])
    approval.reject_campaign(
        campaign=submitted, actor=user_actor(approver), now=now, comment="太长"
    )
    assert approvals.count(approver) == 0


def test_who_changed_it_before_it_was_approved_once_may_decide_again(submitted, now):
    editor = person("eve", Role.MARKETER, Role.APPROVER)
    actor, bob = user_actor(editor), user_actor(person("bob", Role.APPROVER))
    authoring.return_to_draft(campaign=submitted, actor=actor, now=now)
    authoring.update_campaign(
        campaign=submitted, changes={"name": "夏季关怀"}, actor=actor, now=now
    )
    authoring.submit_for_review(campaign=submitted, actor=actor, now=now)
    assert approvals.count(editor) == 0

    approval.approve_campaign(
        campaign=submitted,
        seen_digest=approval.campaign_digest(submitted),
        actor=bob,
        now=now,
    )
    authoring.return_to_draft(campaign=submitted, actor=user_actor(_writer()), now=now)
    authoring.submit_for_review(campaign=submitted, actor=user_actor(_writer()), now=now)

    assert approvals.count(editor) == 1
    assert not approval.is_barred(submitted, editor)


def _writer() -> User:
    return User.objects.get(username="writer")


def test_all_kinds_are_counted_in_one_query_and_listed_in_one_each(
    submitted, now, django_assert_num_queries
):
    root = User.objects.create_superuser("root")
    SegmentExport.objects.create(
        segment=Segment.objects.get(),
        version=Segment.objects.get().current_version,
        columns=[],
        reason="对账",
        requested_by=_writer(),
        requested_at=now,
    )
    PolicyVersion.objects.create(
        number=3, content={}, digest="d", reason="更严", proposed_by=_writer(), proposed_at=now
    )

    with django_assert_num_queries(1):
        assert approvals.count(root) == 3
    with django_assert_num_queries(len(ApprovalKind)):
        found = approvals.waiting(root)

    assert [one.kind for one in found].count(ApprovalKind.EXPORT) == 1
    assert {(one.kind, one.number) for one in found} >= {(ApprovalKind.POLICY, 3)}


def test_the_menu_counts_and_the_page_lists_them(submitted):
    client = Client()
    client.force_login(person("bob", Role.APPROVER))
    answer = client.get(reverse("desk:approvals"))

    lines = [line for part in answer.context["sidebar_navigation"] for line in part["items"]]
    assert {line["link"]: line.get("badge") for line in lines}[reverse("desk:approvals")] == 1
    page = answer.content.decode()
    assert submitted.name in page
    assert reverse("admin:campaigns_campaign_change", args=[submitted.pk]) in page

    client.force_login(person("alice", Role.MARKETER))
    assert client.get(reverse("desk:approvals")).status_code == 403
