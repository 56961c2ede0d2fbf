"""Two people with the same draft open: the second is told, and nothing of the first is lost."""

import pytest
from django.urls import reverse

from campaigns.models import Campaign, ContentVersion
from campaigns.services.campaigns import authoring
from tests.factories.campaigns import SMS, make_channel, spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(actor, now):
    make_channel("sms")
    source = spec(
        channel="sms-memory",
        variants=[
            {"key": "A", "content": SMS},
            {"key": "B", "content": {"zh-hans": {"text": "另一段话"}}},
        ],
    )
    del source["content"]
    return authoring.create_campaign(source=source, actor=actor, now=now)


def _opened(page):
    """Return what the page would send back as it stands."""
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields}
    data = {name: getattr(value, "pk", value) for name, value in data.items()}
    return {k: v for k, v in data.items() if v is not None} | {"seen": page.context["seen"]}


def _texts():
    rows = ContentVersion.objects.filter(is_current=True)
    return dict(rows.values_list("variant__key", "text"))


def test_u40_who_saves_a_draft_second_is_told(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    first, second = (_opened(admin_client.get(url)) for _tab in range(2))
    assert admin_client.post(url, first | {"A_zh_hans_text": "改过的第一段"}).status_code == 302
    mine = second | {"B_zh_hans_text": "改过的第二段", "name": "Mine"}
    answer = admin_client.post(url, mine, headers={"accept-language": "en"})
    shown = answer.content.decode()
    assert "Somebody else has saved this" in shown
    assert "改过的第一段" in [value for _label, value in answer.context["stale_now"]]
    assert "改过的第二段" in shown
    assert _texts() == {"A": "改过的第一段", "B": "另一段话"}
    assert Campaign.objects.get().name != "Mine"
    again = mine | {"seen": answer.context["seen"]}
    assert admin_client.post(url, again).status_code == 302
    assert _texts()["B"] == "改过的第二段"


def test_u40_a_refused_save_is_not_stale_afterwards(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    answer = admin_client.post(url, opened | {"name": ""})
    assert answer.status_code == 200
    assert answer.context["seen"] == opened["seen"]


@pytest.mark.parametrize("sent", [{"name": ""}, {"add_message": "yes"}])
def test_u40_a_form_that_came_back_still_began_from_what_it_showed(admin_client, draft, sent):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    first, second = (_opened(admin_client.get(url)) for _tab in range(2))
    assert admin_client.post(url, first | {"A_zh_hans_text": "改过的第一段"}).status_code == 302
    back = admin_client.post(url, second | sent)
    assert back.context["seen"] == second["seen"]
    answer = admin_client.post(url, second | {"B_zh_hans_text": "x", "seen": back.context["seen"]})
    assert answer.context["is_stale"]
    assert _texts()["A"] == "改过的第一段"
