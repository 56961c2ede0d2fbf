"""Every step from every status, by service and by address: what is not legal is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from campaigns import labels
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.models import Approval, Campaign, Dispatch
from campaigns.services.campaigns import approval, authoring, launch, ticking
from loancrm.kernel.models import AuditEntry
from tests.factories import kept
from tests.factories.campaigns import make_approved, make_approver, make_channel
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db

LEGAL = {
    "submit": {"draft"},
    "draft": {"in_review", "approved"},
    "approve": {"in_review"},
    "reject": {"in_review"},
    "launch": {"approved"},
    "pause": {"running"},
    "resume": {"paused"},
    "cancel": {"draft", "in_review", "approved", "running", "paused"},
}


def _approve(campaign: Campaign, **kw: Any) -> None:
    seen = approval.campaign_digest(campaign)
    approval.approve_campaign(campaign=campaign, seen_digest=seen, **kw)


def _reject(campaign: Campaign, **kw: Any) -> None:
    approval.reject_campaign(campaign=campaign, comment="no", **kw)


STEPS: dict[str, Callable[..., Any]] = {
    "submit": authoring.submit_for_review,
    "draft": authoring.return_to_draft,
    "approve": _approve,
    "reject": _reject,
    "launch": launch.launch_campaign,
    "pause": ticking.pause_campaign,
    "resume": ticking.resume_campaign,
    "cancel": ticking.cancel_campaign,
}


@pytest.fixture
def approved(actor, now) -> Campaign:
    def make() -> None:
        make_channel()
        make_people(1)
        make_approved(actor, now)

    kept.scene("approved", make)
    return Campaign.objects.get()


def stand(campaign: Campaign, status: CampaignStatus) -> Campaign:
    Campaign.objects.filter(pk=campaign.pk).update(status=status)
    return Campaign.objects.get(pk=campaign.pk)


def traces() -> tuple[Any, ...]:
    return (
        list(Campaign.objects.values_list("status", "launched_at", "updated_at")),
        Approval.objects.count(),
        Dispatch.objects.count(),
        AuditEntry.objects.count(),
    )


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("is_stale", [False, True])
def test_a_step_is_taken_only_from_where_it_may_start(approved, now, step, is_stale):
    approver = make_approver()
    read_before = stand(approved, CampaignStatus(min(LEGAL[step])))
    taken = set()
    for status in CampaignStatus:
        with transaction.atomic():
            campaign = stand(approved, status)
            if is_stale:  # as somebody has it who read it a while ago
                campaign = Campaign.objects.get(pk=approved.pk)
                campaign.status = read_before.status
            before = traces()
            try:
                STEPS[step](campaign=campaign, actor=approver, now=now)
            except (authoring.CampaignLocked, ticking.NothingHeld):
                assert traces() == before
            else:
                taken.add(status.value)
            transaction.set_rollback(True)
    assert taken == LEGAL[step]


@pytest.mark.parametrize("step", STEPS)
def test_an_illegal_step_by_its_address_is_a_refusal_in_words(approved, step):
    make_approver()
    User.objects.update(is_staff=True)
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(make_approver().user, backend="django.contrib.auth.backends.ModelBackend")
    seen = approval.campaign_digest(approved)
    address = reverse("admin:campaigns_campaign_step", args=[approved.pk, step])
    for status in set(CampaignStatus) - {CampaignStatus(name) for name in LEGAL[step]}:
        stand(approved, status)
        before = traces()
        browser.cookies.pop("messages", None)
        answer = browser.post(address, {"seen": seen, "comment": "no"})
        assert answer.url == reverse("admin:campaigns_campaign_change", args=[approved.pk])
        (told,) = (str(message) for message in get_messages(answer.wsgi_request))
        with translation.override("en"):
            expected = labels.CAMPAIGN_STATUSES.label(status)
        assert f"“{expected}”" in told or told.startswith("The campaign is not paused")
        assert traces() == before


def test_d_the_launch_of_a_paused_campaign_is_refused_and_says_what_it_needs(approved, now):
    campaign = stand(approved, CampaignStatus.PAUSED)
    with translation.override("en"), pytest.raises(authoring.CampaignLocked) as refused:
        launch.launch_campaign(campaign=campaign, actor=make_approver(), now=now)
    assert "“Paused”" in refused.value.message
    assert "“Approved”" in refused.value.message
    assert not Dispatch.objects.exists()
