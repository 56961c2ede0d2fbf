"""Who changed what a campaign says, or whom it reaches, does not approve it."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from campaigns.models import Approval, Campaign
from campaigns.services.campaigns import approval, authoring
from customers.models import Product, Segment
from customers.services.segments import versions
from loancrm.kernel import clock, roles
from loancrm.kernel.access import user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, spec

pytestmark = pytest.mark.django_db

RULE = {
    "combinator": "and",
    "rules": [{"field": "segment", "operator": "=", "value": "inner"}],
}
EVERYONE = {"combinator": "and", "rules": []}


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
        rule={"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "x"}]},
        actor=user_actor(editor),
        now=now + timedelta(minutes=1),
    )
    assert approval.is_barred(campaign, editor)
    assert not approval.is_barred(campaign, other)


@pytest.mark.parametrize("names_products", [True, False])
def test_c2_who_changed_a_product_that_a_text_tells_of_is_barred(names_products):

    product = Product.objects.create(code="p", name_zh="贷", annual_rate="0.072")
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
