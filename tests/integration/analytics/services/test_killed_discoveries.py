"""Searches for segments and stored reports, killed after any commit, end as one clean run."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from analytics.domain.discovery_choices import DiscoveryChoices, Method
from analytics.models import DiscoveryRun, MetricSnapshot
from analytics.services import discovery_runs, reports
from campaigns.models import Campaign
from customers.models import Event, Score
from loancrm.kernel.access import user_actor
from loancrm.kernel.work import service
from tests.factories.links import make_linked
from tests.integration.analytics.services.test_discovery import (
    FEATURES,
    _planted,
    _population,
    _repaid,
)
from tests.kills import (
    assert_kills_leave_no_trace,
    empty,
    killed_after_commit,
    let_claims_run_out,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


def start(choices):
    user, _new = User.objects.get_or_create(username="analyst", is_superuser=True)
    discovery_runs.start_run(actor=user_actor(user), choices=choices, now=NOW)


def run(at=NOW):
    discovery_runs.run(work_id=DiscoveryRun.objects.get().work_id, now=at)


def test_a7_rfm_scores_everybody_once_after_a_kill_at_any_commit():
    """A run that is begun anew is a later one, whose scores would be others."""
    for nth in range(1, 15):
        empty()
        people = make_linked(["c1", "c2", "c3"])
        Event.objects.bulk_create(
            _repaid(people[f"c{n}"], n * 20 + turn, 600 - n * 100, NOW, f"{n}-{turn}")
            for n in range(1, 4)
            for turn in range(4 - n)
        )
        start(DiscoveryChoices(Method.RFM))
        with killed_after_commit(nth) as commits:
            run()
        let_claims_run_out()
        run(NOW + timedelta(minutes=20))
        found = DiscoveryRun.objects.get()
        assert (found.work.state, found.result["people"]) == ("done", 3)
        assert Score.objects.filter(model_name="rfm").count() == 3
        if commits[0] < nth:
            break
    # There was a run that no kill came to: every commit of a run had its turn.
    assert 1 < commits[0] < nth


def test_a7_clusters_are_the_same_after_a_kill_at_any_commit():
    def prepare():
        _population(_planted(30, seed=1)[0], NOW)
        start(DiscoveryChoices(Method.CLUSTERS, features=FEATURES, max_clusters=3))

    assert_kills_leave_no_trace(prepare, run, commits=3)
    assert DiscoveryRun.objects.get().work.state == "done"


def test_a7_a_stored_report_is_the_same_after_a_kill_at_any_commit(actor):
    def prepare():
        Campaign.objects.create(
            slug="spring",
            name="spring",
            goal_event="application_submitted",
            created_at=NOW,
            updated_at=NOW,
        )

    assert_kills_leave_no_trace(
        prepare,
        lambda: reports.store_report(actor=actor, slug="spring", now=NOW),
        commits=1,
    )
    assert MetricSnapshot.objects.exists()
