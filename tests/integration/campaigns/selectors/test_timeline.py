"""b4: whoever was left out sees with which reason, by which gate and version of the rules."""

import random
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.domain.sending.eligibility import RULE_VERSION, SkipReason, gate_of
from campaigns.models import Suppression
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from customers.domain.timeline import TimelineFilter, TimelineKind
from customers.models import ConsentState, Customer
from customers.selectors.profile import timeline
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
ZONE = ZoneInfo("Asia/Shanghai")
MESSAGES = TimelineFilter(kinds=frozenset({TimelineKind.MESSAGE}))


@pytest.fixture
def people(actor, now):
    """One who is sent to, and three whom different gates refuse."""
    make_channel()
    found = make_people(4)
    ConsentState.objects.filter(customer=found[1]).delete()
    Suppression.objects.create(customer=found[2], reason="opted_out", at=now)
    Customer.objects.filter(pk=found[3].pk).update(marketing_status="hardship")
    make_launched(actor, now)
    ticking.advance(now=now)
    dispatch.drain(holder="t", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    return found


def _message(person):
    (entry,) = timeline.page(person.pk, wanted=MESSAGES, after=None, zone=ZONE).entries
    return entry


def test_b4_each_suppressed_person_shows_gate_reason_and_rule_version(people):
    assert _message(people[0]).name == "message_sent"
    assert "gate" not in _message(people[0]).facts
    for person, reason, gate in zip(
        people[1:],
        ("no_consent", "suppressed", "hardship"),
        ("consent", "suppression", "hardship"),
        strict=True,
    ):
        entry = _message(person)
        assert entry.name == "message_skipped"
        assert (entry.facts["reason"], entry.facts["gate"]) == (reason, gate)
        assert entry.facts["rule_version"] == RULE_VERSION


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_b4_the_page_says_it_in_words(people, language):
    client = Client(headers={"accept-language": language})
    client.force_login(
        User.objects.create_superuser("reader"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    words = {
        "en": ("On the stop list", f"gate “stop list”, rules version {RULE_VERSION}"),
        "zh-hans": ("在停发名单中", f"关卡“停发名单”，规则版本 {RULE_VERSION}"),
    }[language]
    pages = [
        client.get(reverse(name, args=[people[2].pk])).content.decode()
        for name in ("admin:campaigns_customer_messages", "admin:customers_customer_timeline")
    ]

    for page in pages:
        for word in words:
            assert word in page, page


def test_every_reason_of_a_gate_is_assigned_to_one():
    after_the_gates = {
        SkipReason.BUDGET, SkipReason.MISSING_VARIABLE, SkipReason.RENDER_ERROR,
        SkipReason.NO_CONTENT, SkipReason.CHANNEL_REFUSED, SkipReason.RETRIES_EXHAUSTED,
        SkipReason.CRASHED, SkipReason.CANCELLED, SkipReason.ASKED_AGAIN,
        SkipReason.NOT_SENT, SkipReason.NEVER_TAKEN, SkipReason.EXPIRED, SkipReason.RULE_BROKEN,
        SkipReason.TEMPLATE_MISMATCH, SkipReason.VOLUME_CAP, SkipReason.DAILY_VOLUME,
    }  # fmt: skip

    assert {reason for reason in SkipReason if not gate_of(reason)} == after_the_gates
