"""d6: a share of the people is written to first, and the rest gets the text that won."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection, transaction

from campaigns.models import (
    Campaign,
    ContentTest,
    LinkVisit,
    Message,
    TrackedLink,
)
from campaigns.selectors.campaigns import arm_counts, open_work
from campaigns.services.campaigns import approval, authoring, launch, rollouts, ticking
from campaigns.services.campaigns.problems import CampaignRefused
from campaigns.services.campaigns.rollouts import WinnerRefused
from loancrm.kernel.access import PermissionRefused, user_actor
from tests.factories.campaigns import (
    EMAIL,
    make_approved,
    make_approver,
    make_channel,
    make_launched,
    spec,
)
from tests.factories.people import make_people
from tests.factories.tested import did, let_click, send, with_test

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
START = datetime(2028, 1, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def described(arms=2, **changes):
    known = spec(**with_test(arms=arms, **changes))
    known.pop("content")
    return known


@pytest.fixture
def people():
    make_channel()
    return make_people(400)


@pytest.fixture
def launched(actor, people):
    def launch(**changes):
        extra = {"holdout_share": changes.pop("holdout_share", "0")}
        source = with_test(**changes)
        return make_launched(actor, START, **source, **extra).campaign

    return launch


def keys_of(campaign, run_number):
    rows = Message.objects.filter(dispatch__campaign=campaign, dispatch__run_number=run_number)
    return Counter(rows.values_list("variant__key", flat=True))


def go_on(campaign, now):
    ticking.decide_tests(now=now)
    ticking.advance(now=now)
    campaign.refresh_from_db()
    return ContentTest.objects.get(campaign=campaign)


def test_d6_a_planted_lift_is_promoted_to_the_rest_and_nobody_is_written_to_twice(launched):
    campaign = launched()
    send(campaign.dispatches.get(), START)
    let_click(campaign, {"A": 0.1, "B": 0.6}, START + HOUR)
    first = keys_of(campaign, 1)

    test = go_on(campaign, START + 2 * HOUR)

    assert set(first) == {"A", "B"}
    assert 150 < sum(first.values()) < 250
    assert (test.state, test.ground, test.winner) == ("decided", "shown_better", "B")
    assert test.counts["B"]["clicked"] > test.counts["A"]["clicked"]
    assert keys_of(campaign, 2) == {"B": 400 - sum(first.values())}
    rows = Message.objects.filter(dispatch__campaign=campaign)
    assert rows.values("customer").distinct().count() == rows.count() == 400
    send(campaign.dispatches.get(run_number=2), START + 3 * HOUR)
    go_on(campaign, START + 4 * HOUR)
    assert campaign.status == "completed"
    assert campaign.dispatches.count() == 2


def test_d6_before_it_is_decided_the_rest_waits_and_the_campaign_goes_on(launched):
    campaign = launched()
    assert go_on(campaign, START + HOUR).state == "reading"
    send(campaign.dispatches.get(), START)
    let_click(campaign, {"A": 0.3, "B": 0.3}, START + HOUR)

    test = go_on(campaign, START + 23 * HOUR)

    assert test.state == "reading"
    assert campaign.status == "running"
    assert campaign.dispatches.count() == 1
    assert open_work.exists()


def test_d6_without_a_winner_the_control_is_sent_when_the_time_is_over(launched):
    campaign = launched(without_winner="control")
    send(campaign.dispatches.get(), START)

    test = go_on(campaign, START + 24 * HOUR)

    assert (test.ground, test.winner) == ("time_up", "A")
    assert set(keys_of(campaign, 2)) == {"A"}


def test_d6_where_the_approval_says_so_a_person_chooses(launched):
    campaign = launched(without_winner="person")
    send(campaign.dispatches.get(), START)
    now = START + 24 * HOUR
    with pytest.raises(WinnerRefused):
        rollouts.choose_winner(campaign=campaign, variant="B", actor=make_approver(), now=now)
    assert go_on(campaign, now).state == "waiting"
    assert go_on(campaign, now + 100 * HOUR).state == "waiting"
    assert campaign.status == "running"
    with pytest.raises(WinnerRefused):
        rollouts.choose_winner(campaign=campaign, variant="Z", actor=make_approver(), now=now)

    rollouts.choose_winner(campaign=campaign, variant="B", actor=make_approver(), now=now)
    test = go_on(campaign, now)

    assert (test.ground, test.winner) == ("person", "B")
    assert test.decided_by.username == "approver"
    assert set(keys_of(campaign, 2)) == {"B"}
    with pytest.raises(WinnerRefused):
        rollouts.choose_winner(campaign=campaign, variant="A", actor=make_approver(), now=now)


def test_d6_whoever_may_not_launch_chooses_no_winner(launched, django_user_model):
    campaign = launched(without_winner="person")
    nobody = user_actor(django_user_model.objects.create(username="nobody"))
    with pytest.raises(PermissionRefused):
        rollouts.choose_winner(campaign=campaign, variant="B", actor=nobody, now=START)


def test_d6_a_text_that_makes_people_refuse_is_not_promoted_nor_chosen(launched):
    campaign = launched(without_winner="person", margins={"opted_out": "0.02", "complained": "0.2"})
    send(campaign.dispatches.get(), START)
    let_click(campaign, {"A": 0.1, "B": 0.6}, START + HOUR)
    did(campaign, "opted_out", "B", 60, START + HOUR)

    assert go_on(campaign, START + 2 * HOUR).state == "reading"
    assert go_on(campaign, START + 24 * HOUR).state == "waiting"
    later = START + 25 * HOUR
    with pytest.raises(WinnerRefused):
        rollouts.choose_winner(campaign=campaign, variant="B", actor=make_approver(), now=later)
    assert ContentTest.objects.get().winner == ""


def test_d6_pausing_decides_nothing_and_cancelling_ends_it(launched):
    campaign = launched()
    send(campaign.dispatches.get(), START)
    let_click(campaign, {"A": 0.1, "B": 0.6}, START + HOUR)
    now = START + 2 * HOUR
    who = make_approver()
    ticking.pause_campaign(campaign=campaign, actor=who, now=now)
    assert go_on(campaign, now).state == "reading"
    ticking.resume_campaign(campaign=campaign, actor=who, now=now)
    ticking.decide_tests(now=now)
    ticking.pause_campaign(campaign=campaign, actor=who, now=now)
    assert go_on(campaign, now).winner == "B"
    assert campaign.dispatches.count() == 1
    campaign.refresh_from_db()
    ticking.resume_campaign(campaign=campaign, actor=who, now=now)
    ticking.cancel_campaign(campaign=campaign, actor=who, now=now)
    go_on(campaign, now + HOUR)
    assert campaign.dispatches.count() == 1
    assert not open_work.exists()


def test_d6_after_a_fault_between_decision_and_sending_the_rest_is_sent_once(launched, monkeypatch):
    campaign = launched()
    send(campaign.dispatches.get(), START)
    let_click(campaign, {"A": 0.1, "B": 0.6}, START + HOUR)
    now = START + 2 * HOUR
    ticking.decide_tests(now=now)
    with monkeypatch.context() as broken:
        broken.setattr(rollouts, "freeze_first_step", _killed)
        with pytest.raises(KeyboardInterrupt):
            ticking.advance(now=now)
    assert ContentTest.objects.get().rest_started_at is None
    assert campaign.dispatches.count() == 1

    for _again in range(3):
        go_on(campaign, now)
        rollouts.start_rest(campaign=campaign, now=now)

    assert campaign.dispatches.count() == 2
    assert Message.objects.count() == 400


def _killed(**_arguments):
    raise KeyboardInterrupt


def test_d6_two_schedulers_start_the_rest_once(actor, transactional_db):
    make_channel()
    make_people(60)
    campaign = make_launched(actor, START, **with_test()).campaign
    send(campaign.dispatches.get(), START)
    now = START + 24 * HOUR
    barrier, errors = threading.Barrier(2), []

    def schedule():
        try:
            barrier.wait()
            rollouts.decide(campaign=campaign, now=now)
            rollouts.start_rest(campaign=campaign, now=now)
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=schedule) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert sorted(campaign.dispatches.values_list("run_number", flat=True)) == [1, 2]
    assert Message.objects.count() == 60


def test_d7_the_control_group_holds_over_both_parts(launched):
    campaign = launched(holdout_share="0.2")
    send(campaign.dispatches.get(), START)
    go_on(campaign, START + 24 * HOUR)
    rest = campaign.dispatches.get(run_number=2)

    held = Message.objects.filter(dispatch__campaign=campaign, is_control=True)

    assert rest.messages.filter(is_control=True).exists()
    assert 50 < held.count() < 110
    assert rest.budget_id == campaign.dispatches.get(run_number=1).budget_id


def test_f70_of_two_records_of_one_person_the_first_assignment_holds(launched, people):
    campaign = launched()
    first = campaign.dispatches.get()
    send(first, START)
    in_test = set(first.messages.values_list("customer_id", flat=True))
    old = next(one for one in people if one.pk in in_test)
    new = next(one for one in people if one.pk not in in_test)
    type(old).objects.filter(pk=old.pk).update(merged_into=new)

    go_on(campaign, START + 24 * HOUR)

    rest = campaign.dispatches.get(run_number=2)
    assert not rest.messages.filter(customer=new).exists()
    assert rest.messages.count() == 400 - len(in_test) - 1


def test_f70_a_test_that_is_frozen_again_chooses_the_same_people(actor, people):
    campaign = make_approved(actor, START, **with_test())
    chosen = []
    for _again in range(2):
        with transaction.atomic():
            run = launch.launch_campaign(campaign=campaign, actor=make_approver(), now=START)
            chosen.append(sorted(run.messages.values_list("customer_id", "variant__key")))
            transaction.set_rollback(True)
        campaign.refresh_from_db()
    assert chosen[0] == chosen[1]


def test_d6_a_text_that_cannot_be_written_counts_against_it(launched):
    campaign = launched()
    run = campaign.dispatches.get()
    send(run, START)
    some = list(run.messages.filter(variant__key="B").values_list("pk", flat=True)[:10])
    rows = Message.objects.filter(pk__in=some)
    rows.update(state="skipped", reason="missing_variable", sent_at=None, closed_at=START)
    others = list(run.messages.filter(variant__key="A").values_list("pk", flat=True)[:10])
    Message.objects.filter(pk__in=others).update(state="skipped", reason="no_consent")

    found = arm_counts.of_campaign(campaign, as_of=START + HOUR)

    assert found["B"].people == run.messages.filter(variant__key="B").count()
    assert found["A"].people == run.messages.filter(variant__key="A").count() - 10


def test_d5_arms_count_what_people_did_after_their_message(launched, django_assert_num_queries):
    campaign = launched()
    send(campaign.dispatches.get(), START)
    did(campaign, "application_submitted", "A", 7, START + 7 * 24 * HOUR)
    did(campaign, "application_submitted", "B", 5, START + 7 * 24 * HOUR + HOUR)
    did(campaign, "opted_out", "B", 3, START + HOUR)
    did(campaign, "complaint_made", "A", 2, START - HOUR)

    with django_assert_num_queries(3):
        found = arm_counts.of_campaign(campaign, as_of=START + 300 * HOUR)

    assert (found["A"].converted, found["B"].converted) == (7, 0)
    assert (found["A"].opted_out, found["B"].opted_out) == (0, 3)
    assert (found["A"].complained, found["B"].complained) == (0, 0)
    early = arm_counts.of_campaign(campaign, as_of=START + HOUR)
    assert early["A"].converted == 0


def test_d6_the_test_is_part_of_what_is_approved(actor, people):
    campaign = authoring.create_campaign(source=described(), actor=actor, now=START)
    before = approval.campaign_digest(campaign)

    ContentTest.objects.filter(campaign=campaign).update(metric="converted")

    assert approval.campaign_digest(campaign) != before


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"arms": 1}, "experiment", "two_variants_expected"),
        ({"share": "0.95"}, "experiment.test_share", "at_most"),
        ({"share": None}, "experiment.test_share", "number_expected"),
        ({"metric": "luck"}, "experiment.metric", "one_of"),
        ({"decide_after_hours": 0}, "experiment.decide_after_hours", "at_least"),
        ({"margins": {"opted_out": 0}}, "experiment.margins.opted_out", "at_least"),
        ({"looks": 5}, "experiment.looks", "unknown_key"),
    ],
)
def test_d6_a_test_that_cannot_be_held_is_refused(actor, people, changes, path, code):
    with pytest.raises(CampaignRefused) as refused:
        authoring.create_campaign(source=described(**changes), actor=actor, now=START)
    assert path in dict(refused.value.facts["problems"])
    assert not Campaign.objects.exists()


def test_d6_a_campaign_that_runs_again_tests_no_texts(actor, people):
    source = described() | {
        "schedule": {"start_at": START.isoformat(), "repeat": {"every": "week"}}
    }
    with pytest.raises(CampaignRefused):
        authoring.create_campaign(source=source, actor=actor, now=START)


def test_d6_a_draft_whose_second_variant_was_taken_out_is_not_submitted(actor, people):
    campaign = authoring.create_campaign(source=described(), actor=actor, now=START)
    one = [{"channel": "email-memory", "content": EMAIL}]
    authoring.revise_messages(campaign=campaign, messages=one, actor=actor, now=START)
    with pytest.raises(CampaignRefused):
        authoring.submit_for_review(campaign=campaign, actor=actor, now=START)


def test_d6_of_many_tests_without_an_effect_few_promote_a_text(launched):
    """The control is promoted for want of a winner; another text hardly ever."""
    campaign = launched()
    run = campaign.dispatches.get()
    send(run, START)
    rng = np.random.default_rng(11)
    link = TrackedLink.objects.create(dispatch=run, target="https://example.com/offer")
    people = list(run.messages.values_list("pk", flat=True))
    won = 0
    for _test in range(60):
        LinkVisit.objects.all().delete()
        clicked = [pk for pk in people if rng.random() < 0.3]
        LinkVisit.objects.bulk_create(
            LinkVisit(link=link, message_id=pk, at=START) for pk in clicked
        )
        ContentTest.objects.update(state="reading", winner="", ground="")
        Campaign.objects.update(next_run_at=None)
        rollouts.decide(campaign=campaign, now=START + HOUR)
        won += ContentTest.objects.get().ground == "shown_better"
    assert won <= 3
