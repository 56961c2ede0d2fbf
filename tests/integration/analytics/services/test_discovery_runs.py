"""A search in the background: who may start it, how far it is, what it found, what it becomes."""

import json
import time
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from analytics.domain.discovery_choices import ChoiceInvalid, DiscoveryChoices, Method
from analytics.models import DiscoveryRun
from analytics.services import discovery_runs
from analytics.services.discovery_writing import DiscoveryRefused
from customers.models import AttributeDefinition, AttributeValue, Segment, SegmentMember
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import WorkState
from loancrm.kernel.roles import ensure_roles
from loancrm.kernel.work import claims, service
from tests.integration.analytics.services.test_discovery import FEATURES, _planted, _population
from tests.kills import let_claims_run_out

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

CLUSTERS = DiscoveryChoices(Method.CLUSTERS, features=FEATURES, max_clusters=4)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


@pytest.fixture
def as_role():
    ensure_roles()

    def user_of(role):
        user = User.objects.create_user(f"one-{role}", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        return user

    return user_of


def finished(run, now):
    discovery_runs.run(work_id=run.work_id, now=now + timedelta(minutes=1))
    return DiscoveryRun.objects.select_related("work").get(pk=run.pk)


@pytest.mark.parametrize("role", [Role.MARKETER, Role.ANALYST])
def test_s10_a_run_tells_names_sizes_lifts_and_stability_of_its_groups(as_role, role, now):
    _population(_planted(400, seed=1)[0], now)
    run = discovery_runs.start_run(actor=user_actor(as_role(role)), choices=CLUSTERS, now=now)
    assert (run.work.state, run.work.done_count, run.work.total_count) == (WorkState.WAITING, 0, 4)

    run = finished(run, now)

    assert (run.work.state, run.work.done_count, run.work.last_error) == (WorkState.DONE, 4, "")
    assert run.result["people"] == 400
    assert run.result["stability"] >= 0.8
    groups = run.result["groups"]
    assert [group["slug"] for group in groups] == ["cluster-1", "cluster-2", "cluster-3"]
    assert sum(group["size"] for group in groups) == 400
    for group in groups:
        assert 1 <= len(group["differences"]) <= 3
        first = group["differences"][0]
        assert first["lift"] == pytest.approx(first["mean"] / first["overall"], abs=0.01)
        assert (first["lift"] > 1) == (first["z"] > 0)
        assert first["feature"]["zh"] in {"余额", "到访"}
    again = finished(run, now)
    assert again.work.finished_at == run.work.finished_at


def test_s78_the_number_of_groups_is_chosen_and_the_same_again(as_role, now):
    _population(_planted(400, seed=3)[0], now)
    actor = user_actor(as_role(Role.ANALYST))
    results = [
        finished(discovery_runs.start_run(actor=actor, choices=CLUSTERS, now=now), now).result
        for _turn in range(2)
    ]
    assert results[0] == results[1]
    assert len(results[0]["groups"]) == 3


def test_s6_a_run_in_components_shows_what_they_explain_and_is_the_same_again(as_role, now):
    _population(_planted(400, seed=3)[0], now)
    user = as_role(Role.ANALYST)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    form = reverse("discoveries:start", args=["clusters"])
    posted = {"max_clusters": 4, "seed": 1, "features": FEATURES, "explained": 60}
    results = []
    for _turn in range(2):
        client.post(form, posted)
        run = finished(DiscoveryRun.objects.latest("pk"), now)
        results.append(run.result)

    assert results[0] == results[1]
    shares = results[0]["explained"]
    assert 0.6 <= sum(shares) < 1
    page = client.get(reverse("discoveries:run", args=[run.pk])).content.decode()
    assert "Explained variance" in page
    assert f"{sum(shares):.1%}" in page
    assert "60%" in page
    out = StringIO()
    call_command(
        *("discover_segments", "--method", "clusters", "--features", ",".join(FEATURES)),
        *("--max-clusters", "4", "--explained", "0.6", "--json"),
        stdout=out,
    )
    told = json.loads(out.getvalue())["explained"]
    assert told == {"shares": shares, "sum": pytest.approx(sum(shares), abs=1e-5)}
    with pytest.raises(CommandError):
        call_command("discover_segments", "--method", "clusters", "--explained", "1.5")


def test_s3_a_category_is_a_column_of_each_frequent_word_and_named_in_words(as_role, now):
    people = _population(_planted(300, seed=1)[0], now)
    kind = AttributeDefinition.objects.create(
        name="job", value_type="text", label_zh="工种", label_en="job"
    )
    AttributeValue.objects.bulk_create(
        AttributeValue(
            customer=person, definition=kind, text="司机" if n % 2 else "教师", updated_at=now
        )
        for n, person in enumerate(people)
    )
    choices = DiscoveryChoices(Method.CLUSTERS, features=("attribute.job",), max_clusters=3)
    run = discovery_runs.start_run(
        actor=user_actor(as_role(Role.ANALYST)), choices=choices, now=now
    )

    found = finished(run, now).result["groups"]

    assert [group["size"] for group in found] == [150, 150]
    first = found[0]["differences"][0]
    assert first["feature"]["zh"] in {"工种“司机”", "工种“教师”"}
    assert {first["mean"], first["overall"]} <= {0.0, 0.5, 1.0}


def test_a_lookalike_run_tells_its_lift_and_what_decides(as_role, actor, now):
    values = _planted(3000, seed=2)[0]
    people = _population(values, now)
    rich = [p.pk for p, row in zip(people, values, strict=True) if row[0] > 15_000][:600]
    versions.replace_members(
        actor=actor, slug="rich", name="富", customer_ids=rich, source="t", now=now
    )
    choices = DiscoveryChoices(Method.LOOKALIKE, seed_segment="rich", features=FEATURES, share=0.2)
    owner = user_actor(as_role(Role.MARKETER))
    run = finished(discovery_runs.start_run(actor=owner, choices=choices, now=now), now)
    assert run.work.state == WorkState.DONE
    lift = run.result["lift"]
    assert lift["value"] > lift["low"] > 1
    assert {item["feature"]["zh"] for item in run.result["drivers"]} == {"余额", "到访"}
    assert run.result["groups"][0]["size"] == 480
    assert run.result["groups"][0]["differences"][0]["lift"] > 1


def test_a_search_that_finds_nothing_says_why_and_writes_nothing(as_role, now):
    _population(np.full((50, 2), 7.0), now)
    owner = user_actor(as_role(Role.ANALYST))
    run = finished(discovery_runs.start_run(actor=owner, choices=CLUSTERS, now=now), now)
    assert run.work.state == WorkState.FAILED
    assert run.work.last_error
    assert not Segment.objects.exists()


@pytest.mark.parametrize(("language", "word"), [("en", "stable groups"), ("zh-hans", "分群")])
def test_d_what_was_not_found_is_told_in_the_language_of_who_reads(as_role, now, language, word):
    _population(np.full((50, 2), 7.0), now)
    reader = as_role(Role.ANALYST)
    with translation.override("zh-hans" if language == "en" else "en"):
        run = discovery_runs.start_run(actor=user_actor(reader), choices=CLUSTERS, now=now)
        finished(run, now)
    client = Client(headers={"accept-language": language})
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("discoveries:run", args=[run.pk])).content.decode()
    assert word in page


@pytest.mark.parametrize("hours", [-1, 1])
def test_d_a_run_is_given_up_by_no_host_while_its_worker_lives(as_role, now, monkeypatch, hours):
    real = time.time
    owner = user_actor(as_role(Role.ANALYST))
    run = discovery_runs.start_run(actor=owner, choices=DiscoveryChoices(Method.RFM), now=now)
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
    assert claims.claim(run.work_id, now=clock.now())
    assert service.wake() == 0
    let_claims_run_out()
    assert service.wake() == 1
    run.work.refresh_from_db()
    assert run.work.state == WorkState.RUNNING


def test_only_roles_for_it_start_a_search_and_unknown_segments_are_refused(as_role, now):
    for role in (Role.APPROVER, Role.STEWARD, Role.COMPLIANCE):
        with pytest.raises(PermissionRefused):
            discovery_runs.start_run(actor=user_actor(as_role(role)), choices=CLUSTERS, now=now)
    with pytest.raises(DiscoveryRefused):
        discovery_runs.start_run(
            actor=user_actor(as_role(Role.ANALYST)),
            choices=DiscoveryChoices(Method.RFM, segment="nobody"),
            now=now,
        )
    assert not DiscoveryRun.objects.exists()


@pytest.mark.parametrize(
    ("method", "wrong", "name"),
    [
        (Method.RFM, {"within_days": 0}, "within_days"),
        (Method.CLUSTERS, {"max_clusters": 1}, "max_clusters"),
        (Method.LOOKALIKE, {}, "seed_segment"),
        (Method.LOOKALIKE, {"seed_segment": "x", "share": 0}, "share"),
        (Method.CLUSTERS, {"seed": -1}, "seed"),
    ],
)
def test_choices_outside_their_bounds_are_named(method, wrong, name):
    with pytest.raises(ChoiceInvalid) as refused:
        DiscoveryChoices(method, **wrong)
    assert refused.value.name == name


def test_choices_survive_being_stored():
    assert DiscoveryChoices.from_json(CLUSTERS.to_json()) == CLUSTERS


def test_who_lost_the_permission_finds_nothing_and_a_dead_worker_is_replaced(as_role, now):
    _population(_planted(300, seed=1)[0], now)
    user = as_role(Role.ANALYST)
    run = discovery_runs.start_run(actor=user_actor(user), choices=CLUSTERS, now=now)
    assert claims.claim(run.work_id, now=now)
    assert finished(run, now).work.state == WorkState.RUNNING
    let_claims_run_out()
    user.groups.clear()
    run = finished(run, now)
    assert run.work.state == WorkState.FAILED
    assert not Segment.objects.exists()


def test_the_page_starts_a_search_shows_it_and_makes_a_segment_of_a_group(as_role, now):
    people = _population(_planted(400, seed=1)[0], now)
    client = Client(headers={"accept-language": "en"})
    client.force_login(as_role(Role.MARKETER))
    index = client.get(reverse("discoveries:index")).content.decode()
    assert "Look-alikes" in index
    assert "No search yet" in index
    form = reverse("discoveries:start", args=["clusters"])
    assert "not a valid choice" not in client.get(form).content.decode()
    wrong = client.post(form, {"max_clusters": 99, "seed": 1}).content.decode()
    assert "errorlist" in wrong
    posted = {"max_clusters": 4, "seed": 1, "features": FEATURES}
    page = client.post(form, posted, follow=True)
    assert page["Refresh"] == "2"
    run = finished(DiscoveryRun.objects.get(), now)
    shown = client.get(reverse("discoveries:run", args=[run.pk]))
    assert "Refresh" not in shown
    assert "Stability" in shown.content.decode()
    assert "high 余额" not in shown.content.decode()

    make = reverse("discoveries:make_segment", args=[run.pk])
    made = client.post(make, {"group": "cluster-1", "name": "大户"}, follow=True)
    assert "大户" in made.content.decode()
    own = Segment.objects.get(name="大户")
    assert own.slug.startswith("cluster-1-")
    group = SegmentMember.objects.filter(segment__slug="cluster-1", left_at__isnull=True)
    assert own.last_count == group.count() > len(people) / 3
    refused = client.post(make, {"group": "elsewhere"}, follow=True).content.decode()
    assert "no group" in refused
    assert client.get(reverse("discoveries:start", args=["astrology"])).status_code == 404


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_worker_that_was_taken_for_lost_writes_nothing_about_the_run_of_another(
    as_role, now, monkeypatch, is_broken
):
    _population(_planted(400, seed=1)[0], now)
    author = user_actor(as_role(Role.ANALYST))
    run = discovery_runs.start_run(actor=author, choices=CLUSTERS, now=now)
    whole = discovery_runs._discover

    def stalled(row, at, advance, _finish):
        monkeypatch.setattr(discovery_runs, "_discover", whole)
        let_claims_run_out()
        assert finished(run, now).work.state == WorkState.DONE
        if is_broken:
            raise DiscoveryRefused("too late")
        advance(1)
        raise AssertionError("it went on")

    monkeypatch.setattr(discovery_runs, "_discover", stalled)
    run = finished(run, now)

    assert (run.work.state, run.work.done_count, run.work.last_error) == (WorkState.DONE, 4, "")
    assert run.result["people"] == 400
