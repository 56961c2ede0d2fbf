"""A preview shows several people who differ; its links lead to a page that says what they are."""

import re

import pytest
from django.test import Client

from campaigns.models import LinkVisit, Step, Suppression
from campaigns.services.campaigns import authoring, previews
from customers.models import ConsentRecord, ConsentState, ContactPoint, Customer
from tests.factories.campaigns import make_channel, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
TEXT = {
    "zh-hans": {
        "subject": "您好",
        "text": "看 https://example.com/offer 偏好 {{ preferences_url }}"
        " 退订 {{ unsubscribe_url }}",
        "html": "",
    }
}


@pytest.fixture
def campaign(actor, now):
    make_channel("email")
    return authoring.create_campaign(source=spec(content=TEXT), actor=actor, now=now)


def step_of(campaign) -> Step:
    return campaign.steps.get()


def test_d_the_first_example_would_get_it_and_the_others_differ(campaign, actor, now):
    people = make_people(6)
    # The first two would not get it.
    ContactPoint.objects.filter(customer__in=people[:2]).delete()
    Customer.objects.filter(pk=people[3].pk).update(language="en")
    Customer.objects.filter(pk=people[4].pk).update(gender="male")

    found = previews.examples(campaign=campaign, step=step_of(campaign), now=now)

    assert found[0] == people[2]
    assert {person.pk for person in found} >= {people[2].pk, people[3].pk, people[4].pk}
    # One who would not get it is among them, last.
    assert found[-1] == people[0]
    assert len(found) == len(set(found)) == 4


def test_an_empty_audience_has_no_examples(campaign, now):
    assert previews.examples(campaign=campaign, step=step_of(campaign), now=now) == []


def test_d_links_of_a_preview_say_what_they_are_and_change_nothing(campaign, actor, now):
    (person,) = make_people(1)
    (shown,) = previews.preview(
        campaign=campaign,
        variant=step_of(campaign).touchpoint.variants.get(),
        customers=[person],
        actor=actor,
        now=now,
    )
    paths = re.findall(r"https?://[^/\s]+(/[tup]/[A-Za-z0-9_-]{27}/)", shown.text)
    assert {path[1] for path in paths} == {"t", "u", "p"}

    for path in paths:
        for language, words in (("en", "preview or a test message"), ("zh-hans", "测试消息")):
            answer = Client().get(f"{path}?lang={language}")
            assert answer.status_code == 200
            assert words in answer.content.decode()
    for path in paths:
        if path[1] != "t":
            assert Client().post(path).status_code == 200

    assert not LinkVisit.objects.exists()
    assert not Suppression.objects.exists()
    assert not ConsentRecord.objects.filter(is_granted=False).exists()
    assert ConsentState.objects.filter(is_granted=False).count() == 0
