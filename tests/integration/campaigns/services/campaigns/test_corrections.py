"""d24: a running campaign is corrected for the rest; f96: only what was approved goes out."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from campaigns.admin.trials import content_test_fields
from campaigns.channels import registry
from campaigns.models import (
    Budget,
    Campaign,
    CampaignCorrection,
    ContentTest,
    ContentVersion,
    Dispatch,
    Message,
)
from campaigns.selectors.campaigns import corrections as found
from campaigns.selectors.desk import own_work
from campaigns.services.campaigns import approval, authoring, corrections, rollouts, ticking
from campaigns.services.campaigns.approval import ApprovalRefused
from campaigns.services.campaigns.authoring import CampaignLocked
from campaigns.services.campaigns.corrections import CorrectionRefused
from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel.access import user_actor
from loancrm.kernel.database import shared_clock
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import EMAIL, make_approver, make_channel, make_launched, revise_text
from tests.factories.people import make_people
from tests.factories.tested import with_test
from tests.integration.campaigns.services.campaigns.test_recurring import START, repeat, sent
from tests.integration.campaigns.services.sending.test_marks import drain, meanwhile

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
NEW = {
    "zh-hans": {**EMAIL["zh-hans"], "text": EMAIL["zh-hans"]["text"].replace("额度可用", "新额度")}
}


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def author():
    return user_actor(User.objects.create(username="alice", is_superuser=True))


@pytest.fixture
def run(actor, now):
    """A campaign of twelve people of whom five were written to before it was paused."""
    make_channel(options={"supports_idempotency": False})
    make_people(12)
    run = make_launched(actor, now, budget_amount=100)
    later = run.messages.order_by("pk")[5:]
    Message.objects.filter(pk__in=list(later.values_list("pk", flat=True))).update(
        due_at=now + timedelta(hours=1)
    )
    drain(lambda: now)
    ticking.pause_campaign(campaign=run.campaign, actor=actor, now=now)
    return run


def campaign_of(run):
    return Campaign.objects.get(pk=run.campaign_id)


def variant_of(run):
    return run.touchpoint.variants.get()


def begin(run, author, now, content=NEW):
    corrections.start_correction(
        campaign=campaign_of(run), reason="额度写错了", actor=author, now=now
    )
    if content is not None:
        revise_text(variant_of(run), content, author, now)


def approve(run, author, now):
    corrections.submit_correction(campaign=campaign_of(run), actor=author, now=now)
    return corrections.approve_correction(
        campaign=campaign_of(run),
        seen_digest=approval.campaign_digest(campaign_of(run)),
        actor=make_approver(),
        now=now,
    )


def resume(run, actor, now):
    return ticking.resume_campaign(campaign=campaign_of(run), actor=actor, now=now)


def numbers(run):
    return Counter(run.messages.filter(state="sent").values_list("content__number", flat=True))


def test_d24_the_corrected_text_goes_to_the_rest_only(run, actor, author, now):
    begin(run, author, now)
    approve(run, author, now)
    resume(run, actor, now)
    drain(lambda: now + timedelta(hours=1))
    assert numbers(run) == {1: 5, 2: 7}
    assert campaign_of(run).status == "completed"
    correction = CampaignCorrection.objects.get()
    assert (correction.state, correction.closed_at) == ("applied", now)
    # The evidence of those before: the very text, though it is not in use any more.
    old = ContentVersion.objects.get(pk=correction.contents[0])
    assert (old.is_current, "额度可用" in old.text) == (False, True)
    deeds = AuditEntry.objects.filter(action__startswith="campaign.correction").order_by("pk")
    assert list(deeds.values_list("action", flat=True)) == [
        f"campaign.correction_{deed}" for deed in ("started", "submitted", "approved", "applied")
    ]


@pytest.mark.parametrize("stage", ["editing", "in_review"])
def test_f96_what_is_not_approved_is_not_resumed(run, actor, author, now, stage):
    begin(run, author, now)
    if stage == "in_review":
        corrections.submit_correction(campaign=campaign_of(run), actor=author, now=now)
    with pytest.raises(CorrectionRefused):
        resume(run, actor, now)
    Dispatch.objects.update(is_paused=False)
    drain(lambda: now + timedelta(hours=1))
    run.refresh_from_db()
    assert (numbers(run), run.hold_reason) == ({1: 5}, "changed_texts")


def test_f96_a_worker_that_wrote_by_the_plan_before_sends_nothing_of_it(
    run, actor, author, now, monkeypatch
):
    """It stood still between the decision and the mark while the campaign was corrected."""
    resume(run, actor, now)
    later = now + timedelta(hours=1)
    waiting = run.messages.filter(state="planned").order_by("pk").first().customer

    def correct():
        ticking.pause_campaign(campaign=campaign_of(run), actor=actor, now=now)
        begin(run, author, now)
        approve(run, author, now)
        resume(run, actor, now)

    meanwhile(monkeypatch, waiting, correct)
    drain(lambda: later)
    drain(lambda: later)
    assert numbers(run) == {1: 5, 2: 7}


def test_f96_an_edit_after_the_approval_is_not_resumed(run, actor, author, now):
    begin(run, author, now)
    approve(run, author, now)
    ContentVersion.objects.filter(is_current=True).update(text="别的")
    with pytest.raises(CorrectionRefused):
        resume(run, actor, now)


def test_d24_who_wrote_the_correction_never_approves_it(run, author, now):
    begin(run, author, now)
    corrections.submit_correction(campaign=campaign_of(run), actor=author, now=now)
    with pytest.raises(ApprovalRefused):
        corrections.approve_correction(
            campaign=campaign_of(run),
            seen_digest=approval.campaign_digest(campaign_of(run)),
            actor=author,
            now=now,
        )
    with pytest.raises(ApprovalRefused):
        corrections.approve_correction(
            campaign=campaign_of(run), seen_digest="another", actor=make_approver(), now=now
        )


@pytest.mark.parametrize(
    "changes", [{"name": "x"}, {"holdout_share": 0}, {"purpose": "service"}, {"start_at": None}]
)
def test_d24_audience_holdout_and_the_like_stay(run, author, now, changes):
    begin(run, author, now, content=None)
    with pytest.raises(CampaignLocked):
        authoring.update_campaign(campaign=campaign_of(run), changes=changes, actor=author, now=now)


@pytest.mark.parametrize(
    "change",
    [
        {"channel": "sms-memory"},
        {"variants": [{"key": "A", "weight": 2, "content": NEW}]},
        {"variants": [{"key": k, "weight": 1, "content": NEW} for k in "AB"]},
        {"fallback_channel": "sms-memory", "fallback_content": "same_as_message"},
    ],
)
def test_d24_channels_variants_and_messages_stay(run, author, now, change):
    make_channel("sms")
    begin(run, author, now, content=None)
    message = {"channel": "email-memory", "content": NEW, **change}
    if "variants" in change:
        del message["content"]
    with pytest.raises(CampaignLocked):
        authoring.revise_messages(
            campaign=campaign_of(run), messages=[message], actor=author, now=now
        )


def test_d24_a_channel_that_was_changed_meanwhile_is_not_approved_along(run, author, now):
    begin(run, author, now)
    corrections.submit_correction(campaign=campaign_of(run), actor=author, now=now)
    run.channel.sender = "别家 <other@lender.example>"
    run.channel.save()
    with pytest.raises(ApprovalRefused):
        corrections.approve_correction(
            campaign=campaign_of(run),
            seen_digest=approval.campaign_digest(campaign_of(run)),
            actor=make_approver(),
            now=now,
        )


def test_d24_end_and_budget_are_corrected_too(run, actor, author, now):
    begin(run, author, now, content=None)
    end = shared_clock.now() + timedelta(hours=3)
    changes = {"end_at": end, "budget_amount": 250}
    authoring.update_campaign(campaign=campaign_of(run), changes=changes, actor=author, now=now)
    approve(run, author, now)
    resume(run, actor, now)
    run.refresh_from_db()
    assert (run.ends_at, run.budget.limit_amount) == (end, 250)


def test_d24_a_correction_that_changes_nothing_is_not_submitted(run, author, now):
    begin(run, author, now, content=None)
    with pytest.raises(CorrectionRefused):
        corrections.submit_correction(campaign=campaign_of(run), actor=author, now=now)


def test_d24_a_discarded_correction_leaves_the_very_texts_that_were_approved(
    run, actor, author, now
):
    begin(run, author, now)
    authoring.update_campaign(
        campaign=campaign_of(run), changes={"budget_amount": 7}, actor=author, now=now
    )
    approve(run, author, now)
    corrections.discard_correction(campaign=campaign_of(run), actor=author, now=now)
    resume(run, actor, now)
    drain(lambda: now + timedelta(hours=1))
    assert numbers(run) == {1: 12}
    run.refresh_from_db()
    assert run.budget.limit_amount == 100


def test_d24_a_rejected_correction_can_be_changed_and_approved(run, actor, author, now):
    begin(run, author, now)
    corrections.submit_correction(campaign=campaign_of(run), actor=author, now=now)
    corrections.reject_correction(
        campaign=campaign_of(run), actor=make_approver(), now=now, comment="不对"
    )
    approve(run, author, now)
    resume(run, actor, now)
    drain(lambda: now + timedelta(hours=1))
    assert numbers(run) == {1: 5, 2: 7}


def test_d24_only_what_is_paused_is_corrected_and_only_once(run, actor, author, now):
    begin(run, author, now)
    with pytest.raises(CorrectionRefused):
        begin(run, author, now)
    corrections.discard_correction(campaign=campaign_of(run), actor=author, now=now)
    resume(run, actor, now)
    with pytest.raises(CampaignLocked):
        begin(run, author, now)


def test_d24_what_is_changed_and_how_many_are_left_is_told(run, author, now):
    begin(run, author, now)
    diff = found.diff_of(found.open_of(campaign_of(run)))
    (change,) = diff.texts
    assert (change.before.number, change.after.number, change.had_before) == (1, 2, 5)
    assert (diff.left_count, diff.end_at, diff.budget_amount) == (7, None, None)


def test_d24_later_runs_of_a_campaign_have_the_corrected_text(actor, author):
    make_channel(options={"supports_idempotency": False})
    make_people(3)
    run = make_launched(actor, START, schedule=repeat())
    sent(run, START)
    ticking.pause_campaign(campaign=run.campaign, actor=actor, now=START)
    begin(run, author, START)
    corrections.submit_correction(campaign=campaign_of(run), actor=author, now=START)
    corrections.reject_correction(
        campaign=campaign_of(run), actor=make_approver(), now=START, comment="等等"
    )
    approve(run, author, START)
    resume(run, actor, START)
    drain(lambda: START + timedelta(days=7, minutes=1))
    second = Dispatch.objects.get(run_number=2)
    assert numbers(second) == {2: 3}


def test_d24_the_flow_in_the_admin(run, actor, now, admin_client):
    page = reverse("admin:campaigns_campaign_change", args=[run.campaign_id])

    def step(name, **data):
        return admin_client.post(
            reverse("admin:campaigns_campaign_step", args=[run.campaign_id, name]), data
        )

    assert b"/step/correct/" in admin_client.get(page).content
    step("correct", comment="额度写错了")
    edit = reverse("admin:campaigns_campaign_edit", args=[run.campaign_id])
    form = admin_client.get(edit).context["form"]
    assert form.fields["segment"].disabled
    assert not form.fields["end_at"].disabled
    values = {
        name: value for name in form.fields if (value := form[name].value()) not in (None, False)
    }
    values["A_zh_hans_text"] = NEW["zh-hans"]["text"]
    values["holdout_percent"] = "20"
    assert admin_client.post(edit, values).status_code == 302
    assert campaign_of(run).holdout_share == 0
    shown = admin_client.get(page)
    assert shown.context["correction_left"] == 7
    (change,) = shown.context["correction_changes"]
    assert ("额度可用" in change.before, "新额度" in change.after) == (True, True)
    step("submit_correction")
    assert CampaignCorrection.objects.get().state == "in_review"
    # Who wrote it is offered no approval; nothing is resumed meanwhile.
    names = [button.name for button in admin_client.get(page).context["buttons"]]
    assert names == ["reopen_correction", "discard_correction", "cancel"]
    step("approve_correction", seen=approval.campaign_digest(campaign_of(run)))
    assert CampaignCorrection.objects.get().state == "in_review"


def test_d24_the_commands_correct_too(run, actor, now, tmp_path, capsys):
    make_approver()
    file = tmp_path / "correction.json"
    end = (shared_clock.now() + timedelta(hours=3)).isoformat()
    steps = [{"channel": "email-memory", "content": NEW}]
    file.write_text(json.dumps({"steps": steps, "end_at": end}), encoding="utf-8")
    call_command("submit_campaign", "spring", correction=file, reason="额度写错了")
    digest = capsys.readouterr().out.split()[-1]
    call_command("approve_campaign", "spring", username="approver", seen=digest)
    call_command("resume_campaign", "spring")
    assert CampaignCorrection.objects.get().state == "applied"
    assert campaign_of(run).end_at is not None
    ticking.pause_campaign(campaign=campaign_of(run), actor=actor, now=now)
    file.write_text(json.dumps({"budget_amount": "70"}), encoding="utf-8")
    call_command("submit_campaign", "spring", correction=file, reason="预算")
    call_command("submit_campaign", "spring", discard=True)
    assert campaign_of(run).budget_amount == 100


@pytest.mark.parametrize(("content", "state"), [(NEW, "waiting"), (None, "reading")])
def test_d24_a_text_that_is_corrected_while_it_is_compared_lets_a_person_choose(
    actor, author, now, content, state
):
    make_channel()
    make_people(12)
    run = make_launched(actor, now, budget_amount=100, **with_test())
    ticking.pause_campaign(campaign=run.campaign, actor=actor, now=now)
    corrections.start_correction(
        campaign=campaign_of(run), reason="额度写错了", actor=author, now=now
    )
    if content is not None:
        revise_text(run.touchpoint.variants.get(key="B"), content, author, now)
    Budget.objects.update(limit_amount=90)
    approve(run, author, now)
    resume(run, actor, now)

    test = ContentTest.objects.get()
    assert (test.state, test.ground) == (state, "corrected" if content else "")
    campaign = campaign_of(run)
    # Nothing decides by itself between arms of which some got the one text, some the other.
    assert rollouts.decide(campaign=campaign, now=now + timedelta(days=30)) is None
    if content is not None:
        (asked,) = own_work.winners_asked(author.user, sees_all=True)
        assert asked == campaign
        page = content_test_fields.standing(campaign)
        assert page["is_asked"]
        rollouts.choose_winner(campaign=campaign, variant="B", actor=actor, now=now)
        assert ContentTest.objects.get().winner == "B"
        assert own_work.winners_asked(author.user, sees_all=True) == []


@pytest.mark.parametrize(
    "again",
    [
        {"schedule": {"trigger": {"on": "event", "event": "application_started"}}},
        with_test(),
        {"schedule": repeat()},
    ],
    ids=["triggered", "tested", "repeating"],
)
def test_d24_no_correction_approves_a_changed_rule_that_is_asked_again(actor, author, now, again):
    make_channel()
    make_people(12)
    versions.create_segment(
        slug="inner", name="inner", rule={"combinator": "and", "rules": []}, actor=actor, now=now
    )
    nested = {
        "combinator": "and",
        "rules": [{"field": "segment", "operator": "=", "value": "inner"}],
    }
    run = make_launched(
        actor, now, budget_amount=100, segment={"slug": "outer", "rule": nested}, **again
    )
    ticking.pause_campaign(campaign=run.campaign, actor=actor, now=now)
    begin(run, author, now, content=None)
    Budget.objects.update(limit_amount=90)
    inner = Segment.objects.get(slug="inner").current_version
    rule = {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "上海"}]}
    type(inner).objects.filter(pk=inner.pk).update(rule=rule)
    with pytest.raises(ApprovalRefused):
        approve(run, author, now)
