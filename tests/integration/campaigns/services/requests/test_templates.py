from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.domain.content.approval import OF_TOUCHPOINTS
from campaigns.domain.content.written import TextSpec
from campaigns.models import ContentVersion, MessageTemplate
from campaigns.selectors.requests import templates as state_of
from campaigns.services.content.writing import TextUnreadable
from campaigns.services.requests import templates
from campaigns.services.requests.templates import (
    TemplateApprovalRefused,
    TemplateInvalid,
    TemplateLocked,
    TemplateTextsFaulty,
)
from customers.models import AttributeDefinition, Product
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_approver, make_channel
from tests.factories.templates import (
    make_author,
    make_template,
    submit_and_approve,
    template_spec,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def sms(db):
    return make_channel("sms")


def _digest(template):
    return state_of.digest_of(state_of.shown(template))


def test_a_second_person_approves_what_she_has_seen(sms, now):
    template = make_template(sms, now)
    assert state_of.is_approved(template)
    assert template.approved_by == make_approver().user
    assert set(template.touchpoint.approved_parts) == set(OF_TOUCHPOINTS)
    done = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert done[-3:] == [
        "message_template.created",
        "message_template.submitted",
        "message_template.approved",
    ]


@pytest.mark.parametrize("changed", ["author", "editor"])
def test_who_wrote_or_changed_it_never_approves_it_and_the_attempt_is_seen(sms, now, changed):
    author = make_author()
    template = templates.create_template(spec=template_spec(sms), actor=author, now=now)
    writer = author
    if changed == "editor":
        writer = make_author("editor")
        spec = template_spec(sms, name="其他名称")
        template = templates.change_template(template=template, spec=spec, actor=writer, now=now)
    template = templates.submit_template(template=template, actor=author, now=now)
    with pytest.raises(TemplateApprovalRefused):
        templates.approve_template(
            template=template, seen_digest=_digest(template), actor=writer, now=now
        )
    assert not state_of.is_approved(MessageTemplate.objects.get())
    tried = AuditEntry.objects.filter(action="message_template.own_approval_refused")
    assert tried.get().actor_id == writer.id


def test_a_change_that_comes_while_an_approval_waits_bars_who_made_it(sms, now, monkeypatch):
    """She asks to approve, and changes and submits it meanwhile: she is looked at once more."""
    template = templates.create_template(spec=template_spec(sms), actor=make_author(), now=now)
    templates.submit_template(template=template, actor=make_author(), now=now)
    boss = make_author("boss")
    locked = templates._locked
    later = now + timedelta(seconds=1)

    def waiting(row):
        monkeypatch.setattr(templates, "_locked", locked)
        changed = templates.change_template(
            template=row, spec=template_spec(sms, name="改过的"), actor=boss, now=later
        )
        templates.submit_template(template=changed, actor=boss, now=later)
        return locked(row)

    monkeypatch.setattr(templates, "_locked", waiting)
    with pytest.raises(TemplateApprovalRefused):
        templates.approve_template(template=template, seen_digest="any", actor=boss, now=later)


def test_an_edit_by_a_clock_that_is_behind_bars_too(sms, now):
    """Hosts tell no order by their clocks: what came after the approval is told by its number."""
    template = make_template(sms, now)
    editor = make_author("editor")
    behind = now - timedelta(minutes=1)
    changed = templates.change_template(
        template=template, spec=template_spec(sms, name="其他名称"), actor=editor, now=behind
    )
    assert state_of.is_barred(changed, editor.user)


def test_an_edit_that_an_approval_covers_bars_nobody_whatever_its_clock_said(sms, now):
    author, editor = make_author(), make_author("editor")
    template = templates.create_template(spec=template_spec(sms), actor=author, now=now)
    ahead = now + timedelta(minutes=1)
    templates.change_template(
        template=template, spec=template_spec(sms, name="其他名称"), actor=editor, now=ahead
    )
    approved = submit_and_approve(MessageTemplate.objects.get(), author, now)
    assert not state_of.is_barred(approved, editor.user)


def test_a_product_changed_by_a_clock_that_is_behind_bars_too(sms, now):
    text = "{% for item in products %}{{ item.name }}{% endfor %}{{ code }}"
    template = make_template(sms, now, text=text)
    editor = make_author("editor")
    audit.record(
        actor=editor,
        action="product.changed",
        object_type=audit.type_of(Product),
        object_id=1,
        now=now - timedelta(minutes=1),
    )
    assert state_of.is_barred(template, editor.user)


def test_a_product_changed_while_somebody_approves_bars_who_changed_it(sms, now, monkeypatch):
    """The change comes after the state was read, and its entry before the approval's own."""
    product = Product.objects.create(code="p", name_zh="贷", annual_rate="0.072", term_months=12)
    author, editor, boss = make_author(), make_author("editor"), make_approver()
    text = "{% for item in products %}{{ item.name }}{% endfor %}{{ code }}"
    created = templates.create_template(
        spec=template_spec(sms, text=text, purpose="marketing"), actor=author, now=now
    )
    template = templates.submit_template(template=created, actor=author, now=now)
    findings_of = state_of.findings_of

    def changed_meanwhile(*given, **kept):
        Product.objects.update(name_zh="新")
        changed = {"object_type": audit.type_of(Product), "object_id": product.pk}
        audit.record(actor=editor, action="product.changed", now=now, **changed)
        return findings_of(*given, **kept)

    with monkeypatch.context() as patched:
        patched.setattr(state_of, "findings_of", changed_meanwhile)
        approved = templates.approve_template(
            template=template, seen_digest=_digest(template), actor=boss, now=now
        )
    assert not state_of.is_approved(approved)
    again = templates.submit_template(template=approved, actor=author, now=now)
    with pytest.raises(TemplateApprovalRefused, match="修改过"):
        templates.approve_template(
            template=again, seen_digest=_digest(again), actor=editor, now=now
        )
    whole = templates.approve_template(
        template=again, seen_digest=_digest(again), actor=boss, now=now
    )
    assert not state_of.is_barred(whole, editor.user)


def test_switching_a_service_template_off_needs_the_right_to_write_one(sms, now):
    template = make_template(sms, now)
    marketer = User.objects.create_user("marketer")
    marketer.user_permissions.add(Permission.objects.get(codename="author_campaign"))
    with CaptureQueriesContext(connection) as asked, pytest.raises(PermissionRefused):
        templates.set_active(
            template=template, is_active=False, actor=user_actor(marketer), now=now
        )
    assert not any("SAVEPOINT" in query["sql"] for query in asked)


def test_no_job_approves(sms, now, actor):
    template = templates.create_template(spec=template_spec(sms), actor=make_author(), now=now)
    template = templates.submit_template(template=template, actor=actor, now=now)
    with pytest.raises(TemplateApprovalRefused):
        templates.approve_template(
            template=template, seen_digest=_digest(template), actor=actor, now=now
        )


def test_what_was_seen_is_what_is_approved(sms, now):
    template = templates.create_template(spec=template_spec(sms), actor=make_author(), now=now)
    seen = _digest(template)
    template = templates.submit_template(template=template, actor=make_author(), now=now)
    sms.sender = "其他签名"
    sms.save()
    with pytest.raises(TemplateApprovalRefused):
        templates.approve_template(
            template=template, seen_digest=seen, actor=make_approver(), now=now
        )


@pytest.mark.parametrize(
    "change",
    [
        {"text": "验证码：{{ code }}。"},
        {"service_kind": "notice"},
        {"variables": ("code", "minutes")},
        {"name": "另一个名称"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_voids_the_approval(sms, now, change):
    template = make_template(sms, now)
    changed = templates.change_template(
        template=template,
        spec=template_spec(sms, **change),
        actor=make_author(),
        now=now + timedelta(hours=1),
    )
    assert changed.status == "draft"
    assert not state_of.is_approved(changed)
    assert changed.touchpoint.approved_parts == {}


def test_a_text_changed_behind_the_template_voids_it_too(sms, now):
    template = make_template(sms, now)
    ContentVersion.objects.update(text="别的内容 {{ code }}")
    assert not state_of.is_approved(template)
    # Nobody is stuck: the author submits it as it is now.
    again = submit_and_approve(template, make_author(), now + timedelta(hours=1))
    assert state_of.is_approved(again)


def test_declared_variables_are_known_to_the_check_and_others_are_not(sms, now):
    author = make_author()
    spec = template_spec(sms, text="验证码{{ code }}，{{ minutes }}分钟内有效。")
    template = templates.create_template(spec=spec, actor=author, now=now)
    with pytest.raises(TemplateTextsFaulty, match="minutes"):
        templates.submit_template(template=template, actor=author, now=now)
    spec = template_spec(sms, text=spec.texts[0].text, variables=("code", "minutes"))
    template = templates.change_template(template=template, spec=spec, actor=author, now=now)
    templates.submit_template(template=template, actor=author, now=now)


def test_offers_are_no_service(sms, now):
    spec = template_spec(sms, text="限时优惠，验证码{{ code }}。")
    template = templates.create_template(spec=spec, actor=make_author(), now=now)
    with pytest.raises(TemplateTextsFaulty):
        templates.submit_template(template=template, actor=make_author(), now=now)


def test_service_messages_need_their_own_permission(sms, now):
    user = User.objects.create(username="marketer")
    user.user_permissions.add(Permission.objects.get(codename="author_campaign"))
    writer = user_actor(user)
    with pytest.raises(PermissionRefused):
        templates.create_template(spec=template_spec(sms), actor=writer, now=now)
    marketing = template_spec(sms, slug="news", purpose="marketing", service_kind="")
    template = templates.create_template(spec=marketing, actor=writer, now=now)
    with pytest.raises(PermissionRefused):
        templates.change_template(template=template, spec=template_spec(sms), actor=writer, now=now)
    with pytest.raises(PermissionRefused):
        templates.create_template(
            spec=template_spec(sms), actor=user_actor(User.objects.create(username="x")), now=now
        )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"variables": ("name",)}, "variables"),
        ({"variables": ("salary",)}, "variables"),
        ({"purpose": "fun"}, "purpose"),
        ({"service_kind": "joke"}, "service_kind"),
        ({"texts": ()}, "texts"),
        ({"text": "验证码{{ code }}\x00"}, "texts"),
        ({}, "slug"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_field(sms, now, change, field):
    AttributeDefinition.objects.create(name="salary", value_type="number")
    templates.create_template(spec=template_spec(sms), actor=make_author(), now=now)
    slug = {} if field == "slug" else {"slug": "other"}
    with pytest.raises(TemplateInvalid) as refused:
        templates.create_template(
            spec=template_spec(sms, **change, **slug), actor=make_author(), now=now
        )
    assert [name for name, _words in refused.value.facts["problems"]] == [field]
    assert MessageTemplate.objects.count() == 1


def test_a_text_that_cannot_be_read_is_not_kept(sms, now):
    text = TextSpec(locale="zh-hans", subject="", text="{{ code", html="")
    with pytest.raises(TextUnreadable):
        templates.create_template(
            spec=template_spec(sms, texts=(text,)), actor=make_author(), now=now
        )
    assert not MessageTemplate.objects.exists()


def test_only_what_waits_is_decided_about(sms, now):
    template = make_template(sms, now)
    for decide in (
        lambda: templates.submit_template(template=template, actor=make_author(), now=now),
        lambda: templates.reject_template(
            template=template, actor=make_approver(), now=now, reason=""
        ),
        lambda: templates.approve_template(
            template=template, seen_digest=_digest(template), actor=make_approver(), now=now
        ),
    ):
        with pytest.raises(TemplateLocked):
            decide()


def test_what_is_sent_back_is_a_draft_with_the_reason(sms, now):
    author = make_author()
    template = templates.create_template(spec=template_spec(sms), actor=author, now=now)
    template = templates.submit_template(template=template, actor=author, now=now)
    template = templates.reject_template(
        template=template, actor=make_approver(), now=now, reason="太长"
    )
    assert template.status == "draft"
    assert AuditEntry.objects.get(action="message_template.rejected").reason == "太长"
