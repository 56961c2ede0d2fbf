"""A targeting from its description to lists of people, a stored result and an audit entry."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.utils import translation

from analytics.domain.targeting.solving import solve
from analytics.models import RiskAlert, TargetingRun, WarningRule
from analytics.services.targeting import runs
from analytics.services.targeting.checking import TargetingRefused
from campaigns.models import ModelAudience
from customers.models import Customer, SegmentMember
from customers.services.segments import versions
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import AuditEntry, RequestedAction, Work, WorkState
from loancrm.kernel.roles import ensure_roles
from loancrm.kernel.work import service
from tests.factories.campaigns import make_channel
from tests.factories.people import make_people
from tests.factories.scored import give_scores

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

MARGIN, LGD, EAD = 1800.0, 0.65, 20_000.0


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


@pytest.fixture
def as_role():
    ensure_roles()

    def user_of(role):
        user = User.objects.create_user(f"one-{role}", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        return user_actor(user)

    return user_of


def default(at):
    return 0.04 - 0.0005 * at


def population(now, count=40):
    """Uplift falls from .039 by place, risk too; five sleeping dogs, every tenth is risky."""
    people = make_people(count)
    give_scores(people, "up", lambda at: 0.039 - 0.001 * at if at < count - 5 else -0.01, now)
    give_scores(people, "resp", lambda at: 0.01 + 0.001 * at, now)
    give_scores(people, "pd", lambda at: 0.5 if at % 10 == 9 else default(at), now)
    return people


def description(**changes):
    base = {
        "slug": "spring",
        "name": "春季",
        "whom": {"segment": ""},
        "scores": {"uplift": "up", "response": "resp", "pd": "pd"},
        "offers": [{"slug": "cash", "name": "现金", "margin": MARGIN, "lgd": LGD, "ead": EAD}],
        "channels": [{"channel": "sms-memory"}],
        "caps": {"pd": 0.1},
    }
    return {**base, **changes}


def finished(run, now, actor=None):
    runs.run(work_id=run.work_id, now=now + timedelta(minutes=1), actor=actor)
    return TargetingRun.objects.select_related("work").get(pk=run.pk)


@pytest.mark.parametrize("role", [Role.MARKETER, Role.ANALYST])
def test_h22_a_targeting_writes_a_list_an_offer_and_tells_what_it_brings(as_role, role, now):
    people = population(now)
    make_channel("sms", cost_per_part="0.045")
    actor = as_role(role)

    run = runs.start_run(actor=actor, data=description(), now=now)
    assert (run.work.state, run.work.total_count) == (WorkState.WAITING, 4)
    run = finished(run, now)

    assert (run.work.state, run.work.done_count, str(run.work.last_error)) == ("done", 4, "")
    wanted = [at for at in range(35) if at % 10 != 9]
    profit = sum((0.039 - 0.001 * at) * (MARGIN - default(at) * LGD * EAD) - 0.045 for at in wanted)
    result = run.result
    assert result["people"] == len(wanted)
    assert result["profit"] == pytest.approx(profit, abs=0.01)
    assert (result["gap"], result["is_optimal"]) == (0, True)
    assert result["left_out"] == {
        "no_score": 0, "alert": 0, "pd": 4, "sleeping": 4, "at_a_loss": 0
    }  # fmt: skip
    assert [one["slug"] for one in result["segments"]] == ["target-spring-cash"]
    members = SegmentMember.objects.filter(segment__slug="target-spring-cash", left_at__isnull=True)
    assert sorted(members.values_list("customer_id", flat=True)) == [people[at].pk for at in wanted]
    assert {row.source for row in members} == {f"targeting:{run.pk}"}
    chosen_by = ModelAudience.objects.get(segment__slug="target-spring-cash")
    assert (chosen_by.base, chosen_by.score_models) == (None, ["pd", "resp", "up"])
    assert AuditEntry.objects.filter(action="targeting.done").count() == 1


def test_caps_hold_and_the_choice_beats_the_usual_rankings_under_them(actor, now):
    population(now)
    make_channel("sms", cost_per_part="0.045")
    caps = {"pd": 0.1, "people": 12, "budget": 0.5, "expected_loss": 60.0}
    run = runs.start_run(actor=actor, data=description(caps=caps), now=now, is_background=False)
    result = finished(run, now, actor).result

    assert all(cap["holds"] for cap in result["caps"])
    assert {cap["name"]: cap["limit"] for cap in result["caps"]} == {
        "budget": 0.5, "expected_loss": 60.0, "people": 12
    }  # fmt: skip
    brought = {one["ranking"]: one for one in result["comparison"]}
    assert set(brought) == {"profit", "response", "risk", "random"}
    assert all(one["is_within_caps"] for one in brought.values())
    best = brought.pop("profit")
    assert best["profit"] == pytest.approx(result["profit"], abs=0.01)
    assert best["expected_loss"] <= 60.0
    # Response goes with the place, uplift against it: response-only contacts sleeping dogs.
    assert all(one["profit"] < best["profit"] for one in brought.values())
    assert brought["response"]["profit"] < 0


def alert_about(person, severity, now, **changes):
    rule, _new = WarningRule.objects.get_or_create(
        name="bucket-up", defaults={"signal": "bucket_up", "severity": "high", "action": "remind"}
    )
    facts = {"severity": severity, "opened_at": now, "seen_at": now}
    return RiskAlert.objects.create(rule=rule, customer=person, **{**facts, **changes})


def chosen_by(run):
    rows = SegmentMember.objects.filter(segment__slug="target-spring-cash", left_at=None)
    return set(rows.values_list("customer_id", flat=True))


def test_nobody_who_switched_recommendations_off_is_chosen_or_has_so_grave_an_alert(actor, now):
    people = population(now)
    make_channel("sms")
    Customer.objects.filter(pk=people[0].pk).update(personalisation_allowed=False)
    alert_about(people[1], "high", now)
    alert_about(people[2], "medium", now)
    alert_about(people[3], "low", now)
    alert_about(people[4], "critical", now, ended_at=now)
    data = description(caps={"alert": "medium"})
    run = runs.start_run(actor=actor, data=data, now=now, is_background=False)
    run = finished(run, now, actor)

    assert (run.result["looked_at"], run.result["left_out"]["alert"]) == (39, 2)
    assert {people[3].pk, people[4].pk} <= chosen_by(run)
    assert not chosen_by(run) & {people[0].pk, people[1].pk, people[2].pk}


def test_who_may_not_be_chosen_any_more_when_lists_are_written_is_in_none(actor, now, monkeypatch):
    people = population(now)
    make_channel("sms")

    def solved_while_the_world_moves(problem, **options):
        Customer.objects.filter(pk=people[0].pk).update(personalisation_allowed=False)
        alert_about(people[1], "high", now)
        Customer.objects.filter(pk=people[2].pk).update(merged_into=people[3])
        return solve(problem, **options)

    monkeypatch.setattr(runs, "solve", solved_while_the_world_moves)
    data = description(caps={"alert": "high"})
    run = runs.start_run(actor=actor, data=data, now=now, is_background=False)
    run = finished(run, now, actor)

    assert people[4].pk in chosen_by(run)
    assert not chosen_by(run) & {people[0].pk, people[1].pk, people[2].pk}
    assert run.result["skipped"] == 3
    assert run.result["segments"][0]["size"] == run.result["people"] - 3


def test_two_offers_and_channels_leave_a_list_each_and_every_person_is_in_one(actor, now):
    people = population(now)
    make_channel("sms", cost_per_part="0.045")
    data = description(
        offers=[
            {"slug": "cash", "margin": 1800},
            {"slug": "card", "margin": 900, "scores": {"uplift": "card"}},
        ],
        channels=[{"channel": "sms-memory"}, {"channel": "call", "cost": 6, "reach": 2}],
        caps={"people": 30, "per_channel": {"call": 5}},
    )
    give_scores(people, "card", lambda at: 0.001 * at, now)
    run = runs.start_run(actor=actor, data=data, now=now, is_background=False)
    result = finished(run, now, actor).result

    assert result["people"] == 30
    sizes = {(one["offer"], one["channel"]): one["size"] for one in result["segments"]}
    assert len(sizes) == 6
    for offer in ("cash", "card"):
        assert sizes[offer, ""] == sizes[offer, "sms-memory"] + sizes[offer, "call"] > 0
    assert sizes["cash", "call"] + sizes["card", "call"] == 5
    by_offer = SegmentMember.objects.filter(
        segment__slug__in=["target-spring-cash", "target-spring-card"], left_at=None
    ).values_list("customer_id", flat=True)
    assert len(by_offer) == len(set(by_offer)) == 30


def test_the_same_description_gives_the_same_lists_again_and_follows_new_scores(actor, now):
    people = population(now)
    make_channel("sms")
    data = description(caps={"people": 3})
    results = []
    for turn in range(3):
        if turn == 2:
            give_scores(people[10:11], "up", lambda _at: 0.9, now + timedelta(minutes=5))
        run = runs.start_run(actor=actor, data=data, now=now, is_background=False)
        results.append(finished(run, now + timedelta(minutes=turn * 10), actor).result)
    assert results[0] == results[1]
    members = SegmentMember.objects.filter(segment__slug="target-spring-cash", left_at=None)
    assert set(members.values_list("customer_id", flat=True)) == {
        people[at].pk for at in (0, 1, 10)
    }


def test_who_may_not_target_and_who_lost_the_right_are_refused(as_role, now):
    population(now)
    make_channel("sms")
    with pytest.raises(PermissionRefused):
        runs.start_run(actor=as_role(Role.APPROVER), data=description(), now=now)
    marketer = as_role(Role.MARKETER)
    run = runs.start_run(actor=marketer, data=description(), now=now)
    marketer.user.groups.clear()
    run = finished(run, now)
    assert run.work.state == WorkState.FAILED
    assert "权限" in str(run.work.last_error)
    assert not ModelAudience.objects.exists()


def test_a_cancelled_targeting_leaves_nothing(actor, now):
    population(now)
    make_channel("sms")
    run = runs.start_run(actor=actor, data=description(), now=now)
    Work.objects.filter(pk=run.work_id).update(requested_action=RequestedAction.CANCEL)
    run = finished(run, now, actor)
    assert (run.work.state, run.result) == (WorkState.CANCELLED, {})
    assert not ModelAudience.objects.exists()


def test_an_empty_segment_fails_with_its_reason(actor, now):
    population(now)
    make_channel("sms")
    rule = {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "无"}]}
    versions.create_segment(actor=actor, slug="none", name="n", rule=rule, now=now)
    data = description(whom={"segment": "none"})
    run = runs.start_run(actor=actor, data=data, now=now, is_background=False)
    run = finished(run, now, actor)
    assert run.work.state == WorkState.FAILED
    assert "没有可选择的人" in str(run.work.last_error)


@pytest.mark.parametrize(
    ("changes", "path", "english", "chinese"),
    [
        ({"whom": {"segment": "gone"}}, "whom.segment", "no segment", "没有人群"),
        (
            {"scores": {"uplift": "nil", "pd": "pd"}},
            "scores.uplift",
            "has scored anybody",
            "没有给任何人评分",
        ),
        ({"channels": [{"channel": "call"}]}, "channels[0].cost", "what a contact costs", "成本"),
        ({"offers": []}, "offers", "is missing", "缺少"),
        ({"caps": {"alert": "grave"}}, "caps.alert", "low, medium, high, critical", "之一"),
    ],
)
def test_what_is_missing_is_named_with_its_path_in_both_languages(
    actor, now, changes, path, english, chinese
):
    population(now, count=6)
    make_channel("sms")
    for language, words in (("en", english), ("zh-hans", chinese)):
        with translation.override(language), pytest.raises(TargetingRefused) as error:
            runs.start_run(actor=actor, data=description(**changes), now=now)
        assert words in str(error.value.message)
        assert path in {one["path"] for one in error.value.facts["problems"]}
    assert not TargetingRun.objects.exists()


def test_the_command_prints_the_result_and_one_line_for_what_is_wrong(now, tmp_path):
    population(now)
    make_channel("sms", cost_per_part="0.045")
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(description()), encoding="utf-8")
    out = StringIO()
    call_command("target_campaign", str(file), "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert {
        "run", "profit", "bound", "gap", "by_offer", "caps", "comparison", "segments", "seconds"
    } <= told.keys()  # fmt: skip
    assert told["people"] == 32

    file.write_text(json.dumps(description(offers=[{"slug": "cash"}])), encoding="utf-8")
    with pytest.raises(CommandError, match=r"targeting_invalid: .*offers\[0\].margin"):
        call_command("target_campaign", str(file), "--json")
    file.write_text("{", encoding="utf-8")
    with pytest.raises(CommandError, match="file_invalid") as error:
        call_command("target_campaign", str(file))
    assert error.value.returncode == 2
