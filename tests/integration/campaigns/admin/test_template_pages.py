"""Message templates are written, submitted and approved on their pages."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from campaigns.models import Dispatch, Message, MessageTemplate
from campaigns.selectors.receipts import unknown_messages
from campaigns.selectors.receipts.unknown_messages import Filters
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.roles import Role, ensure_roles
from tests.factories.campaigns import make_channel
from tests.factories.people import make_people
from tests.factories.templates import ask_for, make_own_system, make_template

pytestmark = pytest.mark.django_db
LIST = "admin:campaigns_messagetemplate_changelist"


@pytest.fixture
def sms(db):
    return make_channel("sms")


def client_of(role: str, *, extra: tuple[str, ...] = (), language: str = "en") -> Client:
    ensure_roles()
    user = User.objects.create(username=f"{role}-{'-'.join(extra)}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    user.user_permissions.add(*Permission.objects.filter(codename__in=extra))
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def writer() -> Client:
    return client_of(Role.MARKETER, extra=("send_service_messages",))


def filled_in(account, **changes):
    return {
        "slug": "login-code",
        "name": "登录验证码",
        "channel": account.pk,
        "purpose": "service",
        "service_kind": "one_time_code",
        "variables": "code, minutes",
        "A_zh_hans_text": "验证码{{ code }}，{{ minutes }}分钟内有效。",
    } | changes


def step(client, template, name, **content):
    address = reverse("admin:campaigns_messagetemplate_step", args=[template.pk, name])
    return client.post(address, content, follow=True)


def text_of(answer):
    return answer.content.decode()


def test_one_writes_and_another_approves(sms):
    author, approver = writer(), client_of(Role.APPROVER)
    answer = author.post(
        reverse("admin:campaigns_messagetemplate_add"), filled_in(sms), follow=True
    )
    assert "The template is saved." in text_of(answer)
    template = MessageTemplate.objects.get()
    assert template.variables == ["code", "minutes"]

    assert "waits for an approval" in text_of(step(author, template, "submit"))
    page = approver.get(reverse("admin:campaigns_messagetemplate_change", args=[template.pk]))
    assert "In review" in text_of(page)
    assert "分钟内有效" in text_of(page)
    seen = page.context["seen_digest"]
    assert "is approved: systems may send it" in text_of(
        step(approver, template, "approve", seen=seen)
    )
    template.refresh_from_db()
    assert template.status == "approved"


def test_who_saves_second_is_told_what_is_stored_and_undoes_nothing(sms, now):
    template = make_template(sms, now)
    address = reverse("admin:campaigns_messagetemplate_change", args=[template.pk])
    first, second = (
        writer(),
        client_of(Role.MARKETER, extra=("send_service_messages", "approve_campaign")),
    )
    seen = {"seen": second.get(address).context["seen"], "variables": "code"}
    text = {"A_zh_hans_text": "验证码{{ code }}。"}

    first.post(address, filled_in(sms, name="第一人的名称", **seen, **text), follow=True)
    refused = second.post(address, filled_in(sms, name="第二人的名称", **seen, **text))

    assert MessageTemplate.objects.get().name == "第一人的名称"
    assert "Somebody else has saved this" in text_of(refused)
    assert "第一人的名称" in text_of(refused)
    # Whoever was shown it may replace it.
    again = {**seen, "seen": refused.context["seen"]}
    second.post(address, filled_in(sms, name="第二人的名称", **again, **text), follow=True)
    assert MessageTemplate.objects.get().name == "第二人的名称"


def test_who_wrote_it_is_told_that_another_approves(sms, now):
    both = client_of(Role.MARKETER, extra=("send_service_messages", "approve_campaign"))
    both.post(reverse("admin:campaigns_messagetemplate_add"), filled_in(sms))
    template = MessageTemplate.objects.get()
    page = step(both, template, "submit")
    assert "somebody else approves it" in text_of(page)
    assert [button["name"] for button in page.context["buttons"]] == ["switch_off"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"variables": "Code"}, "variables"),
        ({"A_zh_hans_text": "{{ code"}, "A_zh_hans_text"),
        ({"A_zh_hans_text": ""}, "A_zh_hans_text"),
        ({"slug": "taken"}, "slug"),
        ({"channel": ""}, "channel"),
    ],
    ids=["name", "unreadable", "empty", "slug", "channel"],
)
def test_what_is_wrong_stands_beside_its_field(sms, now, change, field):
    make_template(sms, now, slug="taken")
    answer = writer().post(reverse("admin:campaigns_messagetemplate_add"), filled_in(sms, **change))
    assert list(answer.context["form"].errors) == [field]
    assert MessageTemplate.objects.count() == 1


def test_findings_about_stored_texts_stand_beside_them(sms):
    author = writer()
    content = filled_in(sms, variables="code")
    author.post(reverse("admin:campaigns_messagetemplate_add"), content)
    template = MessageTemplate.objects.get()
    page = author.get(reverse("admin:campaigns_messagetemplate_change", args=[template.pk]))
    assert 'id="id_A_zh_hans_text_faults"' in text_of(page)
    assert "cannot be approved" in text_of(step(author, template, "submit"))


def test_who_may_only_look_changes_nothing(sms, now):
    template = make_template(sms, now)
    analyst = client_of(Role.ANALYST)
    address = reverse("admin:campaigns_messagetemplate_change", args=[template.pk])
    page = analyst.get(address)
    assert page.context["buttons"] == []
    assert "Saving voids the approval" not in text_of(page)
    assert analyst.post(address, filled_in(sms)).status_code == 403
    step(analyst, template, "switch_off")
    template.refresh_from_db()
    assert template.is_active
    assert analyst.get(reverse("admin:campaigns_messagetemplate_add")).status_code == 403


def test_switching_off_asks_back_and_is_seen_on_the_badge(sms, now):
    template = make_template(sms, now, service_kind="one_time_code")
    client = writer()
    address = reverse("admin:campaigns_messagetemplate_change", args=[template.pk])
    off = reverse("admin:campaigns_messagetemplate_step", args=[template.pk, "switch_off"])
    page = text_of(client.get(address))
    assert f'href="{off}"' in page
    assert f'action="{off}"' not in page
    assert "Switched off" not in page

    asked = text_of(client.get(off))
    template.refresh_from_db()
    assert template.is_active
    assert "every call for the template is refused" in asked
    assert "whoever needs one gets none" in asked
    assert "Systems have asked for 0 messages by it." in asked

    assert '<span class="lcx-badge" data-tone="bad">Switched off</span>' in text_of(
        client.post(off, follow=True)
    )
    template.refresh_from_db()
    assert not template.is_active
    assert client.get(off.replace("switch_off", "switch_on")).status_code == 405
    assert client_of(Role.ANALYST).get(off).status_code == 403


def test_what_saving_voids_is_told_where_there_is_an_approval(sms, now):
    approved = make_template(sms, now)
    client = writer()
    told = "Saving voids the approval: calls are refused until somebody else approves it again."
    address = reverse("admin:campaigns_messagetemplate_change", args=[approved.pk])
    assert told in text_of(client.get(address))
    MessageTemplate.objects.update(status="draft")
    assert "Saving voids" not in text_of(client.get(address))


def test_held_messages_are_shown_and_given_up(sms, now, actor):
    template = make_template(sms, now)
    ask_for(make_own_system(actor, now), make_people(1), actor, now)
    Dispatch.objects.update(status="held", hold_reason="changed_texts")
    client = writer()
    address = reverse("admin:campaigns_messagetemplate_change", args=[template.pk])
    assert "1 call waits for a person: a text was changed" in text_of(client.get(address))
    assert "are given up" in text_of(step(client, template, "cancel"))
    assert Dispatch.objects.get().status == "cancelled"


def test_the_pages_speak_chinese_and_an_empty_list_says_what_it_is_for(sms, now):
    reader = client_of(Role.MARKETER, language="zh-hans")
    empty = text_of(reader.get(reverse(LIST)))
    assert "还没有消息模板" in empty
    assert "撰写第一个模板" in empty
    template = make_template(sms, now)
    listed = text_of(reader.get(reverse(LIST)))
    assert "登录验证码" in listed
    assert "已批准" in listed
    address = reverse("admin:campaigns_messagetemplate_change", args=[template.pk])
    page = text_of(reader.get(address))
    assert "由 approver 于" in page
    assert "系统按此标识调用模板" in page


@pytest.mark.parametrize("name", ["nothing", "approve", "reject"])
def test_a_step_that_is_not_there_or_not_due_does_nothing(sms, now, name):
    template = make_template(sms, now)
    before = MessageTemplate.objects.values().get()
    step(client_of(Role.APPROVER), template, name)
    assert MessageTemplate.objects.values().get() == before


def test_messages_of_two_templates_of_one_name_are_counted_apart(sms, now, actor):
    """And those of one that was renamed between two calls together."""
    core, people = make_own_system(actor, now), make_people(1)
    for slug in ("login-code", "other-code"):
        make_template(sms, now, slug=slug)
        ask_for(core, people, actor, now, template=slug)
    Dispatch.objects.filter(subject="login-code").update(name="旧名称")
    ask_for(core, people, actor, now)
    Message.objects.update(state="unknown", attempted_at=now)
    rows = unknown_messages.found(Filters())
    assert [tuple(row) for row in unknown_messages.by_template(rows)] == [
        ("login-code", "登录验证码", 2),
        ("other-code", "登录验证码", 1),
    ]


def test_messages_of_unknown_fate_lead_to_their_template(sms, now, actor):
    template = make_template(sms, now)
    ask_for(make_own_system(actor, now), make_people(1), actor, now)
    Message.objects.update(state="unknown", attempted_at=now, closed_at=now)
    client = client_of(Role.APPROVER)
    page = client.get(reverse("admin:campaigns_unknown"))
    address = reverse("admin:campaigns_messagetemplate_change", args=[template.pk])
    assert address in text_of(page)
    message = Message.objects.get()
    question = client.post(
        reverse("admin:campaigns_unknown"), {"message": message.pk, "fate": "was_sent"}
    )
    assert "登录验证码" in text_of(question)
    assert question.context["total"] == 1
    client.post(
        reverse("admin:campaigns_unknown"),
        {"messages": message.pk, "fate": "was_sent", "confirmed": "on"},
    )
    message.refresh_from_db()
    assert message.state == "sent"
    export = client.get(reverse("admin:campaigns_unknown_export"))
    assert export.status_code == 200


def test_the_page_shows_the_saved_text_with_its_price_and_a_channel_that_stands_still(sms, now):
    template = make_template(sms, now)
    address = reverse("admin:campaigns_messagetemplate_change", args=[template.pk])
    client = writer()
    page = client.get(address).content.decode()
    assert "您的验证码是‹code›，五分钟内有效。" in page
    assert "1 part" in page
    assert "is paused until" not in page
    type(sms).objects.update(cost_per_part="0.05", paused_until=Moment(3600))
    page = client.get(address).content.decode()
    assert "¥0.0500 a message" in " ".join(page.split())
    assert "is paused until" in page
