import pytest
from django.urls import reverse

from campaigns.services.campaigns import authoring
from tests.factories.campaigns import make_channel, spec

pytestmark = pytest.mark.django_db


def test_d21_a_copy_of_a_dated_draft_has_no_date(admin_client, actor, now):
    make_channel()
    source = spec(schedule={"start_at": "2026-03-02T10:00:00+08:00"})
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    page = admin_client.get(reverse("admin:campaigns_campaign_add"), {"copy": campaign.pk})
    form = page.context["form"]
    assert form["name"].value().startswith(campaign.name)
    assert not form["start_at"].value()
