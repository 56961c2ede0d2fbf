"""Who changed what a campaign says, or whom it reaches, does not approve it."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Approval, Campaign
from campaigns.selectors.content import faults as content_faults
from campaigns.services.campaigns import approval, authoring
from customers.models import Product, Segment
from customers.services.segments import versions
from loancrm.kernel import clock, roles
from loancrm.kernel.access import user_actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, spec

pytestmark = pytest.mark.django_db

RULE = {
    "combinator": "and",
    "rules": [{"field": "segment", "operator": "=", "value": "inner"}],
}
EVERYONE = {"combinator": "and", "rules": []}
CITY = {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "x"}]}


def person(name: str) -> User:
    roles.ensure_roles()
    user = User.objects.create_user(name, is_staff=True, is_superuser=True)
    user.groups.set(Group.objects.filter(name="approver"))
    return User.objects.get(pk=user.pk)


def written(author: User, now, **changes) -> Campaign:
    make_channel()
    versions.create_segment(
        slug="inner", name="inner", rule=EVERYONE, actor=user_actor(author), now=now
    )
    campaign = authoring.create_campaign(source=spec(**changes), actor=user_actor(author), now=now)
    return authoring.submit_for_review(campaign=campaign, actor=user_actor(author), now=now)


def test_c2_who_changed_a_rule_that_the_campaign_reaches_by_is_barred(now):
    campaign = written(person("wang"), now, segment={"rule": RULE})
    editor, other = person("zhao"), person("li")

    versions.publish_version(
        segment=Segment.objects.get(slug="inner"),
        rule=CITY,
        actor=user_actor(editor),
        now=now + timedelta(minutes=1),
    )
    assert approval.is_barred(campaign, editor)
    assert not approval.is_barred(campaign, other)


@pytest.mark.parametrize("what", ["field", "rule"])
def test_c2_a_change_by_a_clock_that_is_behind_bars_too(now, what):
    """Hosts tell no order by their clocks: what came after the approval is told by its number."""
    campaign = written(person("wang"), now, segment={"rule": RULE})
    editor, boss = user_actor(person("zhao")), user_actor(person("li"))
    digest = approval.campaign_digest(campaign)
    approval.approve_campaign(campaign=campaign, seen_digest=digest, actor=boss, now=now)
    authoring.return_to_draft(campaign=campaign, actor=boss, now=now)
    behind = now - timedelta(minutes=1)
    if what == "field":
        authoring.update_campaign(
            campaign=campaign, changes={"goal_window_days": 9}, actor=editor, now=behind
        )
    else:
        versions.publish_version(
            segment=Segment.objects.get(slug="inner"),
            rule=CITY,
            actor=editor,
            now=behind,
        )
    assert approval.is_barred(campaign, editor.user)
    assert not approval.is_barred(campaign, boss.user)


@pytest.mark.parametrize("what", ["rule", "product"])
def test_c2_a_change_that_comes_while_somebody_approves_bars_who_made_it(now, monkeypatch, what):
    """The change comes after the state was read, and its entry before the approval's own."""
    product = Product.objects.create(code="p", name_zh="贷", annual_rate="0.072", term_months=12)
    tells = "{% for item in products %}{{ item.name }}{% endfor %}"
    content = {"zh-hans": {"subject": "s", "text": f"{tells} {{{{ unsubscribe_url }}}}"}}
    campaign = written(person("wang"), now, segment={"rule": RULE}, content=content)
    editor, boss = user_actor(person("zhao")), user_actor(person("li"))
    digest = approval.campaign_digest(campaign)
    blocking = content_faults.blocking

    def changed_meanwhile(*given, **kept):
        if what == "rule":
            versions.publish_version(
                segment=Segment.objects.get(slug="inner"), rule=CITY, actor=editor, now=now
            )
        else:
            Product.objects.update(name_zh="新")
            changed = {"object_type": audit.type_of(Product), "object_id": product.pk}
            audit.record(actor=editor, action="product.changed", now=now, **changed)
        return blocking(*given, **kept)

    with monkeypatch.context() as patched:
        patched.setattr(content_faults, "blocking", changed_meanwhile)
        approval.approve_campaign(campaign=campaign, seen_digest=digest, actor=boss, now=now)
    assert not approval.is_approved(campaign)
    assert approval.is_barred(campaign, editor.user)
    authoring.return_to_draft(campaign=campaign, actor=boss, now=now)
    authoring.submit_for_review(campaign=campaign, actor=boss, now=now)
    digest = approval.campaign_digest(campaign)
    with pytest.raises(approval.ApprovalRefused, match="修改过"):
        approval.approve_campaign(campaign=campaign, seen_digest=digest, actor=editor, now=now)
    approval.approve_campaign(campaign=campaign, seen_digest=digest, actor=boss, now=now)
    assert not approval.is_barred(campaign, editor.user)


@pytest.mark.parametrize("names_products", [True, False])
def test_c2_who_changed_a_product_that_a_text_tells_of_is_barred(names_products):

    product = Product.objects.create(code="p", name_zh="贷", annual_rate="0.072", term_months=12)
    tells = "{% for item in products %}{{ item.name }}{% endfor %}" if names_products else "您好"
    content = {"zh-hans": {"subject": "s", "text": f"{tells} {{{{ unsubscribe_url }}}}"}}
    campaign = written(person("wang"), clock.now(), content=content)
    editor = person("zhao")
    browser = Client()
    browser.force_login(editor, backend="django.contrib.auth.backends.ModelBackend")
    answer = browser.post(
        reverse("admin:customers_product_change", args=[product.pk]),
        {"code": "p", "name_zh": "贷", "annual_rate": "36", "min_amount": "1",
         "max_amount": "2", "term_months": "1", "is_active": "on"},
    )  # fmt: skip
    assert answer.status_code == 302
    product.refresh_from_db()
    assert float(product.annual_rate) == 0.36
    assert AuditEntry.objects.filter(action="product.changed", actor_id=str(editor.pk)).exists()
    assert approval.is_barred(campaign, editor) is names_products


def test_c2_the_command_approves_only_what_was_seen(now, capsys):
    campaign = written(person("wang"), now)
    person("li")
    for given in ([], ["--seen", ""]):
        with pytest.raises(CommandError, match="seen_required"):
            call_command("approve_campaign", campaign.slug, "--as", "li", *given)
    assert not Approval.objects.exists()
    call_command("approve_campaign", campaign.slug, "--show", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert "本月额度可用" in json.dumps(shown["approved"], ensure_ascii=False)
    call_command("campaign_status", campaign.slug, "--json")
    assert json.loads(capsys.readouterr().out)["digest"] == shown["digest"]
    call_command("approve_campaign", campaign.slug, "--as", "li", "--seen", shown["digest"])
    assert Approval.objects.get().digest == shown["digest"]


def test_who_wrote_is_asked_twice_and_no_text_is_read_for_it(now, monkeypatch):
    """Before the campaign is locked and after it; texts matter only to who changed a product."""
    campaign, approver = written(person("wang"), now), person("li")
    asked, is_barred = [], approval.is_barred

    def counted(*given):
        with CaptureQueriesContext(connection) as queries:
            answer = is_barred(*given)
        asked.append([query["sql"] for query in queries])
        return answer

    monkeypatch.setattr(approval, "is_barred", counted)
    digest = approval.campaign_digest(campaign)
    approval.approve_campaign(
        campaign=campaign, seen_digest=digest, actor=user_actor(approver), now=now
    )
    assert len(asked) == 2
    assert not [sql for queries in asked for sql in queries if "contentversion" in sql]
