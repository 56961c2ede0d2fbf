"""A draft that saves itself: as the button would, and never over somebody else's work."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from campaigns.models import Campaign, CampaignEdit, ContentVersion
from campaigns.services.campaigns import authoring
from customers.models import Segment
from loancrm.kernel import clock
from loancrm.kernel.auditing import audit
from tests.factories.campaigns import SMS, make_channel, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

ENGLISH = {"accept-language": "en"}


@pytest.fixture
def draft(actor, now):
    make_channel("sms")
    make_people(3)
    return authoring.create_campaign(
        source=spec(channel="sms-memory", content=SMS), actor=actor, now=now
    )


def _opened(page):
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields}
    data = {name: getattr(value, "pk", value) for name, value in data.items()}
    return {k: v for k, v in data.items() if v is not None} | {"seen": page.context.get("seen", "")}


def _saved(client, url, data):
    return client.post(url, data | {"autosave": "1"}, headers=ENGLISH).json()


def test_f3_a_draft_saves_itself_again_and_again(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    for text in ("第一稿", "第二稿"):
        answer = _saved(admin_client, url, opened | {"A_zh_hans_text": text})
        assert answer["state"] == "saved"
        assert answer["words"].startswith("Saved ")
        assert ContentVersion.objects.get(is_current=True, locale="zh-hans").text == text
        opened["seen"] = answer["seen"]


def test_u40_of_two_editors_the_second_saves_nothing_and_is_told(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    first, second = (_opened(admin_client.get(url)) for _tab in range(2))
    assert _saved(admin_client, url, first | {"name": "First"})["state"] == "saved"
    answer = _saved(admin_client, url, second | {"name": "Second"})
    assert answer["state"] == "stale"
    assert answer["words"].startswith("Somebody else, or you in another tab, has saved this")
    # Nothing is shown beside it before the button is pressed.
    assert "is shown" not in answer["words"]
    assert Campaign.objects.get().name == "First"


def test_f3_what_is_missing_is_named_and_nothing_is_stored(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    answer = _saved(admin_client, url, opened | {"name": "", "goal_window_days": ""})
    assert answer["state"] == "waiting"
    assert "Name, Goal window in days" in answer["words"]
    assert Campaign.objects.get().name == draft.name


def test_f3_a_new_campaign_becomes_a_draft_once_it_is_complete(admin_client, draft):
    url = reverse("admin:campaigns_campaign_add")
    data = {
        "name": "New one",
        "segment": Segment.objects.get().pk,
        "goal_event": "application_submitted",
        "goal_window_days": "7",
        "purpose": "marketing",
        "late_limit_hours": "24",
        "holdout_percent": "10",
        "A_weight": "1",
        "channel": draft.steps.get().touchpoint.channel_id,
    }
    assert _saved(admin_client, url, data)["state"] == "waiting"
    answer = _saved(admin_client, url, data | {"A_zh_hans_text": "您的专属服务已开通。"})
    made = Campaign.objects.get(name="New one")
    assert answer["edit"] == reverse("admin:campaigns_campaign_edit", args=[made.pk])
    assert answer["state"] == "saved"


def _typed(client, url, opened, texts):
    for text in texts:
        answer = _saved(client, url, opened | {"A_zh_hans_text": text})
        assert answer["state"] == "saved"
        opened["seen"] = answer["seen"]


def _versions():
    return ContentVersion.objects.filter(locale="zh-hans").count()


def test_f3_quick_saves_of_one_author_are_one_version_and_one_entry(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    entries, edits = audit.about(draft).count(), CampaignEdit.objects.count()
    _typed(admin_client, url, opened, ("第一", "第一稿", "第一稿。"))
    assert audit.about(draft).count() == entries + 1
    assert CampaignEdit.objects.count() == edits + 1
    assert _versions() == 2
    assert ContentVersion.objects.get(is_current=True, locale="zh-hans").text == "第一稿。"
    # Another field is told; the text goes on as the version that it is.
    answer = _saved(admin_client, url, opened | {"A_zh_hans_text": "第二稿", "description": "x"})
    assert answer["state"] == "saved"
    assert audit.about(draft).last().facts["fields"] == ["description"]
    assert (audit.about(draft).count(), _versions()) == (entries + 2, 2)


def test_f3_what_the_button_saved_is_not_written_over(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    _typed(admin_client, url, opened, ("第一稿",))
    admin_client.post(url, opened | {"A_zh_hans_text": "按下按钮"})
    opened = _opened(admin_client.get(url))
    _typed(admin_client, url, opened, ("第二稿",))
    texts = ContentVersion.objects.filter(locale="zh-hans").order_by("number")
    assert [row.text for row in texts][1:] == ["第一稿", "按下按钮", "第二稿"]


def test_f3_what_another_person_wrote_is_not_written_over(admin_client, client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    _typed(admin_client, url, opened, ("第一稿",))
    client.force_login(User.objects.create_superuser("second"))
    _typed(client, url, opened, ("第二稿",))
    _typed(admin_client, url, opened, ("第三稿",))
    texts = ContentVersion.objects.filter(locale="zh-hans").order_by("number")
    assert [row.text for row in texts][1:] == ["第一稿", "第二稿", "第三稿"]
    assert CampaignEdit.objects.filter(editor__username="second").exists()


def test_f3_after_a_while_a_quick_save_is_told_anew(admin_client, draft, monkeypatch):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    _typed(admin_client, url, opened, ("第一稿",))
    entries, later = audit.about(draft).count(), clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    _typed(admin_client, url, opened, ("第二稿",))
    assert (audit.about(draft).count(), _versions()) == (entries + 1, 3)


def test_f3_the_slug_follows_the_name_until_a_person_saves(admin_client, draft):
    add = reverse("admin:campaigns_campaign_add")
    data = _opened(admin_client.get(f"{add}?copy={draft.pk}")) | {"name": "Spri"}
    data.pop("seen")
    answer = _saved(admin_client, add, data)
    made = Campaign.objects.get(name="Spri")
    assert made.slug == "spri"
    data |= {"name": "Spring loan", "seen": answer["seen"]}
    data["seen"] = _saved(admin_client, answer["edit"], data)["seen"]
    made.refresh_from_db()
    assert made.slug == "spring-loan"

    taken = _saved(admin_client, answer["edit"], data | {"name": draft.slug})
    assert taken["state"] == "waiting"
    assert "There is a campaign of this name already" in taken["words"]
    made.refresh_from_db()
    assert made.slug == "spring-loan"

    admin_client.post(answer["edit"], data)
    data["seen"] = _opened(admin_client.get(answer["edit"]))["seen"]
    assert _saved(admin_client, answer["edit"], data | {"name": "Autumn"})["state"] == "saved"
    made.refresh_from_db()
    assert (made.name, made.slug) == ("Autumn", "spring-loan")


def test_f3_what_is_filled_in_wrong_is_told_in_its_own_words(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    words = _saved(admin_client, url, opened | {"holdout_percent": "120"})["words"]
    assert words.startswith("Not saved yet: Control group, %: ")
    assert "to be filled in" not in words


def test_f3_a_message_is_taken_out_by_the_button_only(admin_client, draft):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    extra = {
        "message_count": "2",
        "m2_channel": opened["channel"],
        "m2_A_weight": "1",
        "m2_A_zh_hans_text": "第二条",
        "m2_is_out": "on",
    }
    answer = _saved(admin_client, url, opened | extra | {"name": "Other"})
    assert answer["state"] == "waiting"
    assert Campaign.objects.get().name == draft.name


def test_f3_what_is_no_draft_any_more_is_refused_in_words(admin_client, draft, actor, now):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    opened = _opened(admin_client.get(url))
    authoring.submit_for_review(campaign=draft, actor=actor, now=now)
    assert _saved(admin_client, url, opened | {"name": "Late"})["state"] == "refused"
    assert Campaign.objects.get().name == draft.name


def test_f3_the_check_finds_what_the_submission_refuses(admin_client, draft, actor, now):
    url = reverse("admin:campaigns_campaign_checks", args=[draft.pk])
    ready = admin_client.get(url, headers=ENGLISH).content.decode()
    assert 'data-ready="true"' in ready
    ContentVersion.objects.filter(locale="zh-hans").update(text="{{ nmae }}，您好")
    wrong = admin_client.get(url, headers=ENGLISH).content.decode()
    assert 'data-ready="false"' in wrong
    assert 'data-go-to="id_A_zh_hans_text"' in wrong
    assert "There is no variable nmae" in wrong
