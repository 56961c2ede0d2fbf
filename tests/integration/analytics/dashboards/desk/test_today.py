"""The first page: whose turn it is, what runs, what comes, and its fixed cost."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.delivery_alerts import DeliveryAlertKind
from campaigns.domain.sending.states import DispatchStatus, HoldReason, MessageState
from campaigns.models import Campaign, Channel, Dispatch, Message
from campaigns.selectors.desk import own_work
from campaigns.services.campaigns import approval, authoring
from loancrm.kernel import clock, roles
from loancrm.kernel.access import user_actor
from loancrm.kernel.manifest import Role
from tests.factories.campaigns import make_approver, make_channel, make_launched, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
HOME = "admin:index"


@pytest.fixture
def mara() -> User:
    roles.ensure_roles()
    user = User.objects.create_user("mara", is_staff=True)
    user.groups.add(Group.objects.get(name=Role.MARKETER))
    make_channel()
    return User.objects.get(pk=user.pk)


def _home(user: User, language: str = "en"):
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client.get(reverse(HOME))


def _draft(user: User, slug: str = "spring", **changes) -> Campaign:
    return authoring.create_campaign(
        source=spec(slug=slug, **changes), actor=user_actor(user), now=clock.now()
    )


def test_own_drafts_say_what_they_lack_and_what_was_refused_says_why(mara):
    whole, lacking, refused = (_draft(mara, slug) for slug in ("whole", "lacking", "refused"))
    Campaign.objects.filter(pk=lacking.pk).update(start_at=clock.now() - timedelta(days=1))
    authoring.submit_for_review(campaign=refused, actor=user_actor(mara), now=clock.now())
    approval.reject_campaign(
        campaign=refused, actor=make_approver(), now=clock.now(), comment="利率没有写全"
    )
    _draft(User.objects.create_superuser("other"), "not-hers")

    needs = {row["url"]: row for row in _home(mara).context["needs"]}
    page = reverse("admin:campaigns_campaign_change", args=[0]).replace("/0/", "/{}/")

    assert set(needs) == {page.format(row.pk) for row in (whole, lacking, refused)}
    assert needs[page.format(whole.pk)]["why"] == "can be submitted for approval"
    assert needs[page.format(lacking.pk)]["why"] == "still has: a start that has passed"
    told = needs[page.format(refused.pk)]
    assert (told["state"], told["why"], told["tone"]) == ("Sent back", "利率没有写全", "bad")

    Channel.objects.update(is_active=False)
    assert "渠道已停用" in _home(mara, "zh-hans").content.decode()


def test_what_is_held_waits_for_whoever_may_release_it(mara, actor):
    dispatch = make_launched(actor, clock.now())
    Dispatch.objects.update(status=DispatchStatus.HELD, hold_reason=HoldReason.LATE)

    (held,) = own_work.held(mara, sees_all=True)

    assert (held.campaign.pk, held.reason) == (dispatch.campaign_id, HoldReason.LATE)
    assert list(own_work.held(mara, sees_all=False)) == []
    Campaign.objects.update(author=mara)
    assert len(own_work.held(mara, sees_all=False)) == 1
    (need,) = _home(mara).context["needs"]
    assert (need["state"], need["tone"]) == ("On hold", "bad")


def test_a_running_campaign_is_paused_and_goes_on_from_the_first_page(mara):
    make_people(6)
    dispatch = make_launched(user_actor(User.objects.create_superuser("root")), clock.now())
    client = Client()
    client.force_login(mara)
    (going,) = client.get(reverse(HOME)).context["going"]
    assert (going["done"], going["total"], going["step"]) == (0, 6, "pause")

    for step, status in (("pause", CampaignStatus.PAUSED), ("resume", CampaignStatus.RUNNING)):
        address = reverse("admin:campaigns_campaign_step", args=[dispatch.campaign_id, step])
        answer = client.post(address, {"next": reverse(HOME)})
        assert answer.url == reverse(HOME)
        assert Campaign.objects.get().status == status
    # Nobody is led elsewhere by a forged form.
    answer = client.post(address, {"next": "https://elsewhere.example/"})
    assert answer.url == reverse("admin:campaigns_campaign_change", args=[dispatch.campaign_id])


def test_the_next_seven_days_hold_what_is_scheduled_and_what_is_not_launched(mara):
    soon, later = clock.now() + timedelta(days=3), clock.now() + timedelta(days=9)
    _draft(mara, "soon", schedule={"start_at": soon.isoformat()})
    _draft(mara, "later", schedule={"start_at": later.isoformat()})

    (coming,) = _home(mara).context["coming"]

    assert (coming["at"], coming["kind"], coming["is_estimate"]) == (soon, "Not launched yet", True)


def test_too_many_bounces_and_skipped_people_are_told(mara, actor):
    make_people(60)
    dispatch = make_launched(actor, clock.now())
    keys = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    Message.objects.filter(pk__in=keys[:25]).update(state=MessageState.SKIPPED)
    Message.objects.filter(pk__in=keys[25:]).update(state=MessageState.DELIVERED)

    ((campaign, (alert,)),) = own_work.astray(now=clock.now())

    assert (campaign.pk, alert.kind) == (dispatch.campaign_id, DeliveryAlertKind.SKIPPED)
    assert (alert.count, alert.total) == (25, 60)
    assert "41.7% of its people were skipped (25 of 60)." in _home(mara).content.decode()
    Dispatch.objects.update(frozen_at=clock.now() - timedelta(days=8))
    assert list(own_work.astray(now=clock.now())) == []


def test_the_first_page_costs_as_many_queries_for_one_as_for_many(mara):
    def cost() -> int:
        client = Client()
        client.force_login(mara)
        client.get(reverse(HOME))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(HOME))
        return len(queries)

    root = user_actor(User.objects.create_superuser("root"))
    make_people(3)
    start = (clock.now() + timedelta(days=1)).isoformat()
    _draft(mara, "d1", schedule={"start_at": start})
    make_launched(root, clock.now(), slug="r1")
    one = cost()
    for number in range(2, 5):
        _draft(mara, f"d{number}", schedule={"start_at": start})
        make_launched(root, clock.now(), slug=f"r{number}")
    Dispatch.objects.filter(campaign__slug="r2").update(status=DispatchStatus.HELD)

    assert cost() == one


def test_a_new_installation_is_told_its_next_step(mara):
    page = _home(mara).content.decode()
    assert "Nobody is here yet" in page
    assert reverse("admin:customers_importbatch_add") in page
    assert reverse("admin:campaigns_campaign_add") in page
