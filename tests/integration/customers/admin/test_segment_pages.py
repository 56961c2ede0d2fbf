import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import translation

from customers.models import AttributeDefinition, Customer, Segment, SegmentBuild, SegmentMember
from customers.selectors import segment_preview
from customers.services import segment_refresh, segments

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
    return segments.create_segment(
        actor=actor, slug="city", name="City", rule=in_city("上海"), now=now
    )


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
    segments.publish_version(actor=actor, segment=segment, rule=in_city("北京"), now=now)
    page = browser.get(reverse("admin:customers_segment_change", args=[segment.pk]))
    assert "“city is 上海” became “city is 北京”" in page.content.decode()


def test_members_are_built_and_frozen_from_the_list(browser, segment):
    assert "The members of City are up to date." in act(browser, "build_members", [segment])
    assert SegmentMember.objects.filter(segment=segment, left_at=None).count() == 2
    assert "The people of City are kept as a list." in act(browser, "freeze", [segment])
    frozen = Segment.objects.get(kind="static")
    assert SegmentMember.objects.filter(segment=frozen).count() == 2


def test_the_overlap_of_two_is_told_and_of_one_is_refused(browser, segment, actor, now):
    other = segments.create_segment(
        actor=actor, slug="other", name="Other", rule=in_city("上海"), now=now
    )
    page = act(browser, "show_overlap", [segment, other])
    assert "Only in “City”" in page
    assert "shared 100.0%" in page
    assert "Choose exactly two segments." in act(browser, "show_overlap", [segment])


def test_c10_a_failed_build_is_seen_in_the_list(browser, actor, now):
    definition = AttributeDefinition.objects.create(name="plan", value_type="text")
    rules = [{"field": "attribute.plan", "operator": "=", "value": "a"}]
    segments.create_segment(
        actor=actor, slug="p", name="P", rule={"combinator": "and", "rules": rules}, now=now
    )
    definition.delete()
    segment_refresh.refresh_due(actor=actor, read_clock=lambda: now, slice_seconds=9)
    assert SegmentBuild.objects.get().state == "failed"
    assert "last build failed: segment_rule_invalid" in browser.get(LIST).content.decode()


def test_the_preview_hides_no_programming_error(browser, monkeypatch):
    def broken(*_args, **_options):
        raise AttributeError("a mistake of ours")

    monkeypatch.setattr(segment_preview, "preview", broken)
    body = '{"rule": {"combinator": "and", "rules": []}}'
    with pytest.raises(AttributeError, match="a mistake of ours"):
        browser.post(PREVIEW, body, content_type="application/json")
