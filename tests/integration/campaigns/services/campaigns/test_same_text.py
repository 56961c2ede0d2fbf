"""The same text as the message (f2): said, not guessed; it goes along with every edit."""

import random
from datetime import timedelta

import pytest

from campaigns.models import ContentVersion, Message, Step, Variant
from campaigns.selectors.campaigns import approved_state
from campaigns.selectors.content import current_texts
from campaigns.selectors.content import faults as content_faults
from campaigns.services.campaigns import approval, authoring, ticking
from campaigns.services.sending import dispatch
from customers.models import ContactPoint, Customer
from tests.factories.campaigns import SMS, make_channel, make_launched, revise_text, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

SAME = "same_as_message"
OTHER = {"zh-hans": {"text": "另一段话"}}


@pytest.fixture
def follower(actor, now):
    """A draft by SMS in two variants, whose fallback by another gateway has the same texts."""
    make_channel("sms")
    source = spec(channel="sms-memory", fallback_channel="sms-memory", fallback_content=SAME)
    del source["content"]
    source["variants"] = [{"key": "A", "content": SMS}, {"key": "B", "content": OTHER}]
    return authoring.create_campaign(source=source, actor=actor, now=now)


def texts(campaign):
    return {
        (text.variant.touchpoint.step.position, text.variant.key): text.written.text
        for text in current_texts.of_campaign(campaign)
    }


def revise(variant, words, actor, now):
    revise_text(variant, {"zh-hans": {"text": words}}, actor, now)


def test_f2_the_same_text_follows_later_edits_of_each_variant(follower, actor, now):
    assert texts(follower)[2, "A"] == texts(follower)[1, "A"]
    assert texts(follower)[2, "B"] == "另一段话"
    revise(Variant.objects.get(touchpoint__step__position=1, key="B"), "第三段话", actor, now)
    assert texts(follower)[2, "B"] == "第三段话"
    assert ContentVersion.objects.filter(variant__touchpoint__step__position=2).count() == 0


def test_f2_an_own_text_ends_the_following(follower, actor, now):
    revise(Variant.objects.get(touchpoint__step__position=2, key="A"), "自己的话", actor, now)
    assert texts(follower) == {
        (1, "A"): SMS["zh-hans"]["text"],
        (1, "B"): "另一段话",
        (2, "A"): "自己的话",
    }


def test_f2_the_choice_is_part_of_what_is_approved(follower):
    before = approved_state.parts_of(follower)
    variant = Variant.objects.get(touchpoint__step__position=2, key="B")
    source = ContentVersion.objects.get(variant__key="B", is_current=True)
    Variant.objects.filter(pk=variant.pk).update(follows_message=False)
    ContentVersion.objects.create(
        variant=variant,
        locale=source.locale,
        text=source.text,
        digest="x",
        created_at=source.created_at,
    )
    assert approved_state.parts_of(follower)["texts"] != before["texts"]


def test_c1_who_approves_is_shown_which_texts_follow_the_message(follower):
    shown = approved_state.read(follower).shown["texts"]
    assert [[row[:2] for row in step] for step in shown] == [
        [["A", False], ["B", False]],
        [["A", True], ["B", True]],
    ]


def test_f2_a_fault_of_a_followed_text_is_named_once_at_the_message(follower, actor, now):
    revise(
        Variant.objects.get(touchpoint__step__position=1, key="A"), "您好 {{ nmae }}", actor, now
    )
    faults = [
        finding for finding in content_faults.findings_of(follower, now=now) if finding.is_blocking
    ]
    assert [(f.is_fallback, f.variant) for f in faults] == [(False, "A")]


def test_f2_what_only_the_fallbacks_channel_finds_is_named_at_the_fallback(actor, now):
    make_channel("sms")
    make_channel("email")
    source = spec(
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=SAME,
    )
    campaign = authoring.create_campaign(source=source, actor=actor, now=now)
    faults = [
        finding for finding in content_faults.findings_of(campaign, now=now) if finding.is_blocking
    ]
    assert faults
    assert all(finding.is_fallback and finding.follows_message for finding in faults)


def test_f2_each_person_gets_the_text_of_the_own_variant_again(actor, now):
    make_channel("sms")
    make_people(12)
    run = make_launched(
        actor,
        now,
        channel="sms-memory",
        content=None,
        variants=[{"key": "A", "content": SMS}, {"key": "B", "content": OTHER}],
        fallback_channel="sms-memory",
        fallback_content=SAME,
        fallback_after_minutes=1,
    )
    ContactPoint.objects.update(status="bounced")
    for minutes in (0, 1, 2, 3, 4, 5):
        at = now + timedelta(minutes=minutes)
        if minutes == 2:
            ContactPoint.objects.update(status="active")
        ticking.advance(now=at)
        dispatch.drain(holder="t", clock=lambda at=at: at, rng=random.Random(1), slice_seconds=5)
    first = dict(Message.objects.filter(dispatch=run).values_list("customer", "variant__key"))
    again = Message.objects.exclude(dispatch=run).filter(state="sent")
    assert again.count() == Customer.objects.count() == 12
    assert {first[m.customer_id] for m in again} == {"A", "B"}
    for message in again.select_related("variant", "content__variant"):
        assert message.variant.key == first[message.customer_id]
        assert message.content.variant.key == first[message.customer_id]
        assert message.content.variant.touchpoint_id == run.touchpoint_id


def test_f2_messages_of_a_draft_change_until_it_is_submitted(follower, actor, now):
    make_channel("email")
    authoring.revise_messages(
        campaign=follower,
        messages=[
            {
                "channel": "email-memory",
                "variants": [
                    {"key": "A", "weight": 2, "content": spec()["content"]},
                    {"key": "C", "content": SAME},
                ],
            }
        ],
        actor=actor,
        now=now,
    )
    step = Step.objects.get(campaign=follower)
    assert step.channel.slug == "email-memory"
    assert list(
        step.touchpoint.variants.order_by("key").values_list("key", "weight", "follows_message")
    ) == [
        ("A", 2, False),
        ("C", 1, True),
    ]
    follower.refresh_from_db()
    authoring.submit_for_review(campaign=follower, actor=actor, now=now)
    with pytest.raises(authoring.CampaignLocked):
        authoring.revise_messages(
            campaign=follower,
            messages=[{"channel": "sms-memory", "content": SMS}],
            actor=actor,
            now=now,
        )


def test_f2_an_emptied_language_has_no_text_any_more(actor, now):
    make_channel("sms")
    both = {"zh-hans": {"text": "您好"}, "en": {"text": "Hello"}}
    campaign = authoring.create_campaign(
        source=spec(channel="sms-memory", content=both), actor=actor, now=now
    )
    authoring.revise_messages(
        campaign=campaign,
        messages=[{"channel": "sms-memory", "content": {"zh-hans": {"text": "您好"}}}],
        actor=actor,
        now=now,
    )
    assert [text.locale for text in current_texts.of_campaign(campaign)] == ["zh-hans"]
    assert ContentVersion.objects.filter(locale="en").count() == 1


def test_f2_messages_described_as_they_are_change_nothing_and_bar_nobody(actor, now):
    make_channel("sms")
    campaign = authoring.create_campaign(
        source=spec(channel="sms-memory", content=SMS), actor=actor, now=now
    )
    before = approval.campaign_digest(campaign), campaign.edits.count()
    authoring.revise_messages(
        campaign=campaign,
        messages=[{"channel": "sms-memory", "content": SMS}],
        actor=actor,
        now=now + timedelta(hours=1),
    )
    assert (approval.campaign_digest(campaign), campaign.edits.count()) == before
    assert ContentVersion.objects.count() == len(SMS)
