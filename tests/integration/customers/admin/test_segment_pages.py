import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import translation

from customers.models import AttributeDefinition, Customer, Segment, SegmentBuild, SegmentMember
from customers.selectors.segments import preview
from customers.services.segments import refresh, versions

pytestmark = pytest.mark.django_db

LIST = reverse("admin:customers_segment_changelist")


def in_city(city):
    rules = [{"field": "city", "operator": "=", "value": city}]
    return {"combinator": "and", "rules": rules}


@pytest.fixture
def browser():
    user = User.objects.create_superuser("root")
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    with translation.override("en"):
        yield client


@pytest.fixture
def segment(actor, now):
    for number, city in enumerate(("上海", "上海", "北京")):
        Customer.objects.create(city=city, created_at=now, updated_at=now, external_id=str(number))
    return versions.create_segment(
        actor=actor, slug="city", name="City", rule=in_city("上海"), now=now
    )


FAULTY = {
    "combinator": "and",
    "rules": [
        {"field": "~", "operator": "=", "value": ""},
        {"combinator": "or", "rules": [{"field": "age", "operator": ">", "value": "x"}]},
    ],
}


def test_what_is_wrong_with_a_rule_is_told_without_its_path(browser):
    told = [
        "Condition 1: Choose a field",
        "Condition 1 of group 2 (age): A number is needed",
    ]
    form = {"name": "New", "rule": json.dumps(FAULTY)}
    page = browser.post(reverse("admin:customers_segment_add"), form)
    assert "The rule cannot be used: " + "; ".join(told) in page.content.decode()
    shown = [str(message) for message in page.context["messages"]]
    assert not any("rules[" in message or "~" in message for message in shown)

    answer = browser.post(PREVIEW, json.dumps({"rule": FAULTY}), content_type="application/json")
    problems = answer.json()["problems"]
    assert [problem["told"] for problem in problems] == told
    assert [problem["path"] for problem in problems] == [
        "rules[0].field",
        "rules[1].rules[0].value",
    ]


PREVIEW = reverse("admin:customers_segment_preview")
DEEP = '{"rule":' + '{"combinator":"and","rules":[' * 30_000


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", 400),
        ("[]", 400),
        ("\xff", 400),
        (DEEP, 400),
        ('{"rule":' + "[" * 90_000 + "]" * 90_000 + "}", 400),
        ('{"rule":{"combinator":"and","rules":["' + "x" * 300_000 + '"]}}', 400),
        ('{"rule":5}', 422),
        ('{"rule":{"combinator":"and","rules":[]}}', 200),
    ],
)
def test_whatever_the_preview_is_sent_it_answers(browser, body, code):
    answer = browser.post(PREVIEW, body, content_type="application/json")
    assert answer.status_code == code


@pytest.mark.parametrize("rule", ["{", "[" * 90_000 + "]" * 90_000])
def test_a_rule_that_cannot_be_read_is_not_saved_as_everybody(browser, segment, rule):
    page = reverse("admin:customers_segment_change", args=[segment.pk])
    answer = browser.post(page, {"name": "City", "description": "", "rule": rule})
    assert "not valid JSON" in answer.content.decode()
    assert segment.versions.count() == 1


def act(browser, action, chosen):
    keys = [found.pk for found in chosen]
    answer = browser.post(LIST, {"action": action, "_selected_action": keys}, follow=True)
    return answer.content.decode()


def test_c11_the_page_of_a_segment_says_what_changed_between_versions(browser, segment, actor, now):
    versions.publish_version(actor=actor, segment=segment, rule=in_city("北京"), now=now)
    page = browser.get(reverse("admin:customers_segment_change", args=[segment.pk]))
    assert "“city is 上海” became “city is 北京”" in page.content.decode()


def test_members_are_built_and_frozen_from_the_list(browser, segment):
    assert "The members of City are up to date." in act(browser, "build_members", [segment])
    assert SegmentMember.objects.filter(segment=segment, left_at=None).count() == 2
    assert "The people of City are kept as a list." in act(browser, "freeze", [segment])
    frozen = Segment.objects.get(kind="static")
    assert SegmentMember.objects.filter(segment=frozen).count() == 2


def test_the_overlap_of_two_is_told_and_of_one_is_refused(browser, segment, actor, now):
    other = versions.create_segment(
        actor=actor, slug="other", name="Other", rule=in_city("上海"), now=now
    )
    page = act(browser, "show_overlap", [segment, other])
    assert "Only in “City”" in page
    assert "shared 100.0%" in page
    assert "Choose exactly two segments." in act(browser, "show_overlap", [segment])


def test_c10_a_failed_build_is_seen_in_the_list(browser, actor, now):
    definition = AttributeDefinition.objects.create(name="plan", value_type="text")
    rules = [{"field": "attribute.plan", "operator": "=", "value": "a"}]
    versions.create_segment(
        actor=actor, slug="p", name="P", rule={"combinator": "and", "rules": rules}, now=now
    )
    definition.delete()
    refresh.refresh_due(actor=actor, read_clock=lambda: now, slice_seconds=9)
    assert SegmentBuild.objects.get().state == "failed"
    assert (
        "last build failed: its rule cannot be used any more" in browser.get(LIST).content.decode()
    )


def test_the_preview_hides_no_programming_error(browser, monkeypatch):
    def broken(*_args, **_options):
        raise AttributeError("a mistake of ours")

    monkeypatch.setattr(preview, "preview", broken)
    body = '{"rule": {"combinator": "and", "rules": []}}'
    with pytest.raises(AttributeError, match="a mistake of ours"):
        browser.post(PREVIEW, body, content_type="application/json")


def test_u40_who_saves_a_segment_second_is_told(browser, segment):
    address = reverse("admin:customers_segment_change", args=[segment.pk])
    seen = browser.get(address).context["seen"]
    rule = json.dumps(in_city("上海"))
    first = {"name": "City", "description": "for the spring", "rule": rule, "seen": seen}
    assert browser.post(address, first).status_code == 302
    second = {"name": "Town", "description": "", "rule": json.dumps(in_city("北京")), "seen": seen}
    answer = browser.post(address, second)
    shown = answer.content.decode()
    assert "Somebody else has saved this" in shown
    assert "for the spring" in [value for _label, value in answer.context["stale_now"]]
    segment.refresh_from_db()
    assert (segment.name, segment.description) == ("City", "for the spring")
    assert segment.versions.count() == 1
    assert browser.post(address, second | {"seen": answer.context["seen"]}).status_code == 302
    segment.refresh_from_db()
    assert (segment.name, segment.versions.count()) == ("Town", 2)
