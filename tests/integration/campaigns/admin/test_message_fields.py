"""The form of a campaign loses nothing without a word (f2): texts, channels, variants, purpose."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from campaigns.admin.forms import MOST_MESSAGES
from campaigns.models import Campaign, Channel, Step, Variant
from campaigns.selectors.content import current_texts
from campaigns.services.campaigns import authoring
from tests.factories.campaigns import SMS, make_channel, spec
from tests.integration.campaigns.admin.test_campaign_page import browser_of, form_data, person

pytestmark = pytest.mark.django_db

SAME = "same_as_message"


@pytest.fixture
def channels():
    return {kind: make_channel(kind) for kind in ("sms", "email")}


@pytest.fixture
def author():
    return person("author", "marketer")


@pytest.fixture
def draft(channels, actor, now):
    """By SMS in two variants with a fallback by SMS."""
    source = spec(
        channel="sms-memory",
        variants=[
            {"key": "A", "content": {**SMS, "en": {"text": "Hello {{ name }}"}}},
            {"key": "B", "weight": 3, "content": {"zh-hans": {"text": "另一段话"}}},
        ],
        fallback_channel="sms-memory",
        fallback_content=SMS,
        fallback_after_minutes=7,
    )
    del source["content"]
    return authoring.create_campaign(source=source, actor=actor, now=now)


def sent_back(campaign, author, language="en", **changes):
    """Send the form of a draft as the page shows it, with some changes."""
    url = reverse("admin:campaigns_campaign_edit", args=[campaign.pk])
    browser = browser_of(author)
    form = browser.get(url).context["form"]
    data = {}
    for name in form.fields:
        value = form[name].value()
        data[name] = getattr(value, "pk", value)
    data = {name: value for name, value in {**data, **changes}.items() if value is not None}
    return browser.post(url, data, headers={"accept-language": language})


def texts(campaign):
    return {
        (t.variant.touchpoint.step.position, t.variant.key, t.locale): t.written.text
        for t in current_texts.of_campaign(campaign)
    }


def test_f2_a_form_sent_back_unchanged_changes_nothing(draft, author):
    before = texts(draft), list(Step.objects.values()), list(Variant.objects.values())
    assert sent_back(draft, author).status_code == 302
    assert (texts(draft), list(Step.objects.values()), list(Variant.objects.values())) == before
    assert not draft.edits.filter(editor=author).exists()


def test_f2_an_added_variant_left_empty_is_an_error_beside_it(draft, author):
    answer = sent_back(draft, author, C_in_use="yes")
    assert "C_zh_hans_text" in answer.context["form"].errors
    assert set(
        Variant.objects.filter(touchpoint__step__position=1).values_list("key", flat=True)
    ) == {"A", "B"}
    sent_back(draft, author, C_in_use="yes", C_text_from="same")
    assert Variant.objects.get(key="C").follows_message


def test_f2_a_variant_is_taken_out_by_saying_so_only(draft, author):
    answer = sent_back(draft, author, B_zh_hans_text="")
    assert "B_zh_hans_text" in answer.context["form"].errors
    assert Variant.objects.filter(key="B").exists()
    sent_back(draft, author, B_in_use="no")
    assert not Variant.objects.filter(key="B").exists()


def test_f2_channel_and_fallback_of_a_saved_draft_change(draft, author, channels):
    content = {"A_zh_hans_subject": "您好", "B_in_use": "no", "A_en_text": ""}
    sent_back(draft, author, channel=channels["email"].pk, fallback_channel="", **content)
    step = draft.steps.get()
    assert step.channel == channels["email"]
    sent_back(draft, author, fallback_channel=channels["sms"].pk, F_text_from="same")
    fallback = draft.steps.get(is_fallback=True)
    assert fallback.channel == channels["sms"]
    assert fallback.touchpoint.variants.get().follows_message


def test_f2_a_fallback_follows_the_message_as_it_is_edited(draft, author):
    sent_back(draft, author, F_text_from="same")
    sent_back(draft, author, A_zh_hans_text="新的话")
    assert texts(draft)[2, "A", "zh-hans"] == "新的话"
    assert texts(draft)[2, "B", "zh-hans"] == "另一段话"


def test_f2_an_emptied_language_keeps_no_old_text(draft, author):
    sent_back(draft, author, A_en_text="")
    assert (1, "A", "en") not in texts(draft)


def test_f2_a_subject_without_a_text_is_an_error(draft, author):
    answer = sent_back(draft, author, A_en_text="", A_en_subject="Hello")
    assert "A_en_text" in answer.context["form"].errors


@pytest.mark.parametrize("weight", ["0", "-1", ""])
def test_f2_a_weight_of_nothing_is_refused_with_words(draft, author, weight):
    answer = sent_back(draft, author, B_weight=weight)
    assert "B_weight" in answer.context["form"].errors
    assert Variant.objects.get(touchpoint__step__position=1, key="B").weight == 3


def test_f2_the_wait_of_a_fallback_is_kept_and_can_be_changed(draft, author):
    sent_back(draft, author, name="Other")
    assert draft.steps.get(is_fallback=True).wait_minutes == 7
    sent_back(draft, author, fallback_after_minutes="90")
    assert draft.steps.get(is_fallback=True).wait_minutes == 90


def test_f2_a_second_message_has_fields_of_its_own(channels, actor, author, now):
    source = spec(
        steps=[
            {"channel": "sms-memory", "content": SMS},
            {"channel": "sms-memory", "content": {"zh-hans": {"text": "第二条"}}},
        ]
    )
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    sent_back(campaign, author, A_zh_hans_text="第一条")
    assert texts(campaign) == {
        (1, "A", "zh-hans"): "第一条",
        (2, "A", "zh-hans"): "第二条",
    }
    copy = f"{reverse('admin:campaigns_campaign_add')}?copy={campaign.pk}"
    page = browser_of(author).get(copy)
    assert page.context["form"]["m2_A_zh_hans_text"].value() == "第二条"


def test_f2_variants_under_keys_of_their_own_are_kept(channels, actor, author, now):
    source = spec(
        channel="sms-memory",
        variants=[
            {"key": "long", "content": SMS},
            {"key": "short", "weight": 2, "content": {"zh-hans": {"text": "短"}}},
        ],
    )
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    sent_back(campaign, author, short_zh_hans_text="更短")
    assert texts(campaign)[1, "short", "zh-hans"] == "更短"
    assert Variant.objects.count() == 2


def test_f2_a_name_that_is_taken_is_told_beside_the_name(draft, author, channels):
    data = form_data(channel=channels["sms"].pk, name="Spring")
    answer = browser_of(author).post(
        reverse("admin:campaigns_campaign_add"), data, headers={"accept-language": "zh-hans"}
    )
    assert answer.context["form"].errors["name"] == ["已有同名活动，请换一个名称。"]
    assert "slug" not in "".join(str(m) for m in answer.context["messages"])


def test_f2_the_service_kind_is_shown_to_whom_it_concerns(draft, author):
    url = reverse("admin:campaigns_campaign_edit", args=[draft.pk])
    page = browser_of(author).get(url)
    assert "service_kind" not in page.context["form"].fields
    assert [value for value, _label in page.context["form"].fields["purpose"].choices] == [
        "marketing"
    ]
    author.user_permissions.add(Permission.objects.get(codename="send_service_messages"))
    trusted = User.objects.get(pk=author.pk)
    html = browser_of(trusted).get(url).content.decode()
    assert 'data-shown-for="service" data-of="id_purpose"' in html
    sent_back(draft, trusted, purpose="service", service_kind="due_reminder")
    draft.refresh_from_db()
    assert (draft.purpose, draft.service_kind) == ("service", "due_reminder")
    sent_back(draft, trusted, purpose="marketing")
    draft.refresh_from_db()
    assert (draft.purpose, draft.service_kind) == ("marketing", "")


def test_f2_a_purpose_that_the_reader_may_not_choose_is_an_error(draft, author):
    answer = sent_back(draft, author, purpose="service")
    assert "purpose" in answer.context["form"].errors
    assert Campaign.objects.get(pk=draft.pk).purpose == "marketing"


def new_form(author, **changes):
    """Send the form of a new campaign by SMS."""
    channel = Channel.objects.get(slug="sms-memory").pk
    url = reverse("admin:campaigns_campaign_add")
    return browser_of(author).post(url, form_data(**{"channel": channel, **changes}))


def test_f2_a_second_message_is_added_in_the_form_and_keeps_what_was_written(draft, author):
    sms = Channel.objects.get(slug="sms-memory").pk
    answer = new_form(author, name="Two", B_in_use="yes", B_en_text="Hello", add_message="1")
    form = answer.context["form"]
    assert not form.is_bound
    assert [message.number for message in form.messages] == [1, 2]
    assert (form["name"].value(), form["B_en_text"].value()) == ("Two", "Hello")
    assert not Campaign.objects.filter(name="Two").exists()
    shown = answer.content.decode()
    assert "m2_A_zh_hans_text" in shown
    assert "errorlist" not in shown
    both = {"m2_channel": sms, "m2_A_weight": "1", "message_count": "2", "name": "Two"}
    answer = new_form(author, **both)
    assert "m2_A_zh_hans_text" in answer.context["form"].errors
    assert new_form(author, **both, m2_A_zh_hans_text="第二条").status_code == 302
    made = Campaign.objects.get(name="Two")
    assert list(made.steps.order_by("position").values_list("position", "is_fallback")) == [
        (1, False),
        (2, False),
    ]
    assert texts(made)[2, "A", "zh-hans"] == "第二条"


def test_f2_a_message_of_several_is_taken_out_by_saying_so(draft, author):
    sms = Channel.objects.get(slug="sms-memory").pk
    answer = sent_back(draft, author, add_message="1")
    assert len(answer.context["form"].messages) == 2
    second = {"message_count": "2", "m2_channel": sms, "m2_A_weight": "1"}
    sent_back(draft, author, **second, m2_A_zh_hans_text="第二条")
    assert texts(draft)[3, "A", "zh-hans"] == "第二条"
    # What is taken out need not be right.
    assert sent_back(draft, author, m2_is_out="on", m2_channel="").status_code == 302
    assert (3, "A", "zh-hans") not in texts(draft)
    answer = sent_back(draft, author, is_out="on")
    assert answer.context["form"].non_field_errors()
    assert draft.steps.count() == 2


@pytest.mark.parametrize("count", ["999", "-3", "x", "²"])
def test_a_form_has_no_more_messages_than_make_sense(draft, author, count):
    answer = new_form(author, message_count=count, segment="")
    assert len(answer.context["form"].messages) <= MOST_MESSAGES


@pytest.mark.parametrize(
    ("field", "text", "english", "chinese"),
    [
        (
            "A_zh_hans_text",
            "一\n二\n{{ name",
            "Version A · Chinese · body · line 3: ",
            "版本 A · 中文 · 正文 · 第 3 行：",
        ),
        (
            "F_en_text",
            "{{ name",
            "Fallback message · Version A · English · body · line 1: ",
            "备用消息 · 版本 A · 英文 · 正文 · 第 1 行：",
        ),
    ],
)
def test_f1_a_text_that_cannot_be_read_is_told_beside_its_field(
    draft, author, field, text, english, chinese
):
    before = texts(draft)
    for language, words in (("en", english), ("zh-hans", chinese)):
        answer = sent_back(draft, author, language, **{field: text})
        (told,) = answer.context["form"].errors[field]
        assert told.startswith(words), language
    assert texts(draft) == before


def test_f1_a_condition_that_cleaning_takes_apart_is_told_beside_its_field(draft, author, channels):
    html = "<p>{% if name %}a</p><script>{% endif %}</script>"
    content = {"A_zh_hans_subject": "您好", "A_zh_hans_html": html, "B_in_use": "no"}
    answer = sent_back(draft, author, channel=channels["email"].pk, **content)
    assert answer.context["form"].errors["A_zh_hans_html"]
    answer = new_form(author, **{**content, "channel": channels["email"].pk, "B_in_use": ""})
    assert answer.context["form"].errors["A_zh_hans_html"]
