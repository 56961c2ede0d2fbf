from datetime import timedelta

import pytest
from django.urls import reverse

from campaigns.models import Campaign, Dispatch
from campaigns.services.campaigns import authoring, ticking
from campaigns.services.desk import patterns
from loancrm.kernel.database import shared_clock
from tests.factories.campaigns import make_channel, make_launched, spec
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db


def test_d21_a_copy_of_a_dated_draft_has_no_date(admin_client, actor, now):
    make_channel()
    source = spec(schedule={"start_at": "2026-03-02T10:00:00+08:00"})
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    page = admin_client.get(reverse("admin:campaigns_campaign_add"), {"copy": campaign.pk})
    form = page.context["form"]
    assert form["name"].value().startswith(campaign.name)
    assert not form["start_at"].value()


def test_d21_a_clone_of_a_running_campaign_is_an_undated_draft_that_sends_nothing(
    admin_client, actor, now
):
    make_channel()
    make_people(3)
    end = (shared_clock.now() + timedelta(days=3)).isoformat()
    calendar = {"every": "week", "until": "2031-12-31"}
    run = make_launched(actor, now, schedule={"end_at": end, "repeat": calendar})
    address = reverse("admin:campaigns_campaign_add")
    form = admin_client.get(address, {"copy": run.campaign_id}).context["form"]
    assert not [name for name in ("start_at", "end_at", "repeat_until") if form[name].value()]
    sent = {
        name: value
        for name, field in form.fields.items()
        if (value := form[name].value()) not in (None, False)
    }
    assert admin_client.post(address, sent).status_code == 302
    clone = Campaign.objects.exclude(pk=run.campaign_id).get()
    assert (clone.status, clone.launched_at) == ("draft", None)
    assert (clone.start_at, clone.end_at, clone.recurrence["until"]) == (None, None, "")
    assert clone.experiment_salt != run.campaign.experiment_salt
    ticking.advance(now=now)
    assert not Dispatch.objects.filter(campaign=clone).exists()
    assert not clone.approvals.exists()


def test_d21_a_campaign_serves_as_a_template_and_is_never_sent_itself(admin_client, actor, now):
    make_channel()
    make_people(3)
    template = authoring.create_campaign(source=spec(), actor=actor, now=now)
    page = reverse("admin:campaigns_campaign_change", args=[template.pk])

    def step(name):
        address = reverse("admin:campaigns_campaign_step", args=[template.pk, name])
        return admin_client.post(address)

    step("mark_template")
    template.refresh_from_db()
    assert template.is_template
    names = [button.name for button in admin_client.get(page).context["buttons"]]
    assert "submit" not in names
    with pytest.raises(authoring.CampaignLocked):
        authoring.submit_for_review(campaign=template, actor=actor, now=now)
    add = reverse("admin:campaigns_campaign_add")
    (offered,) = admin_client.get(add).context["templates"]
    assert offered == (template.name, f"{add}?copy={template.pk}")
    form = admin_client.get(offered[1]).context["form"]
    assert not form["name"].value()
    sent = {
        name: value
        for name, field in form.fields.items()
        if (value := form[name].value()) not in (None, False)
    }
    assert admin_client.post(offered[1], {**sent, "name": "Autumn"}).status_code == 302
    made = Campaign.objects.get(slug="autumn")
    assert (made.status, made.is_template) == ("draft", False)
    assert made.steps.get().touchpoint.variants.get().contents.get().text == (
        template.steps.get().touchpoint.variants.get().contents.get().text
    )
    step("unmark_template")
    template.refresh_from_db()
    assert not template.is_template


def test_d21_only_a_draft_becomes_a_template(actor, now):
    make_channel()
    make_people(3)
    run = make_launched(actor, now)
    with pytest.raises(authoring.CampaignLocked):
        patterns.mark_template(campaign=run.campaign, actor=actor, now=now)
