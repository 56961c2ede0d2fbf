"""A search for segments that is cancelled on its way leaves nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from analytics.domain.discovery_choices import DiscoveryChoices, Method
from analytics.models import DiscoveryModel
from analytics.services import discovery, discovery_clusters, discovery_runs
from customers.domain.events.event import ReportedEvent
from customers.models import Score, Segment
from customers.services.events import log
from customers.services.segments import versions
from loancrm.kernel.access import system_actor, user_actor
from loancrm.kernel.manifest import WorkAction
from loancrm.kernel.models import Work, WorkState
from loancrm.kernel.work import service
from tests.integration.analytics.services.test_discovery import FEATURES, _planted, _population

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
ACTOR = system_actor("test")
CHOICES = {
    Method.RFM: DiscoveryChoices(Method.RFM),
    Method.LOOKALIKE: DiscoveryChoices(
        Method.LOOKALIKE, seed_segment="rich", features=FEATURES, share=0.2
    ),
    Method.CLUSTERS: DiscoveryChoices(Method.CLUSTERS, features=FEATURES, max_clusters=4),
}
# What computes, and what writes: a request may come in during either.
STEPS = {
    Method.RFM: ((discovery, "rfm_scores"), (discovery, "record_run")),
    Method.LOOKALIKE: ((discovery, "_learned"), (discovery, "record_run")),
    Method.CLUSTERS: ((discovery_clusters, "discover"), (discovery_clusters, "record_run")),
}


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


@pytest.fixture
def people(now: datetime) -> None:
    """Six hundred people, of whom some paid back and some are rich."""
    values, group = _planted(600, seed=1)
    ids = [person.pk for person in _population(values, now)]
    rich = [pk for pk, number in zip(ids, group, strict=True) if number == 0]
    versions.replace_members(
        actor=ACTOR, slug="rich", name="rich", customer_ids=rich[:250], source="test", now=now
    )
    events = [
        ReportedEvent(
            source="test",
            external_id="",
            name="repayment_made",
            occurred_at=now - timedelta(days=at + 1),
            dedup_key=f"e{at}",
            customer_id=pk,
        )
        for at, pk in enumerate(ids[:50])
    ]
    log.append_events(events=events, now=now)


@pytest.mark.parametrize("at", [0, 1], ids=["while it computes", "just before its end"])
@pytest.mark.parametrize("method", Method)
def test_a_discovery_that_is_cancelled_leaves_no_segment(
    people: None, now: datetime, monkeypatch: pytest.MonkeyPatch, method: Method, at: int
) -> None:
    boss = user_actor(User.objects.create_superuser("boss"))
    work = discovery_runs.start_run(actor=boss, choices=CHOICES[method], now=now).work
    module, name = STEPS[method][at]
    monkeypatch.setattr(module, name, _cancelling(getattr(module, name), work, now))

    discovery_runs.run(work_id=work.pk, now=now + timedelta(minutes=1))

    work.refresh_from_db()
    assert (work.state, work.requested_action) == (WorkState.CANCELLED, "")
    assert list(Segment.objects.values_list("slug", flat=True)) == ["rich"]
    assert not Score.objects.exists()
    assert not DiscoveryModel.objects.exists()


def _cancelling(step: Callable[..., Any], work: Work, now: datetime) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        service.request_action(actor=ACTOR, work_id=work.pk, action=WorkAction.CANCEL, now=now)
        return step(*given, **named)

    return call
