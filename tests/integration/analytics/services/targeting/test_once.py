"""One form starts one targeting, and what a killed command leaves ends with its reason."""

import json
import os
import signal
import subprocess
import threading
import time
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from analytics.jobs import TARGETING
from analytics.models import TargetingRun
from analytics.services.targeting import runs
from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel.access import system_actor
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import AuditEntry, Work, WorkState
from loancrm.kernel.work import claims, service
from tests.factories.campaigns import make_channel
from tests.functional.processes import MANAGE, ROOT
from tests.integration.analytics.services.targeting.test_runs import description, population
from tests.integration.kernel.work.rows import let_lease_run_out

pytestmark = [pytest.mark.sql]


@pytest.fixture
def no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


def at_step_three(now):
    population(now, count=12)
    make_channel("sms")
    user = User.objects.create_superuser("boss")
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    given = {"name": "Spring", "slug": "spring", "segment": "", "uplift": "up"}
    client.post(reverse("targeting:whom"), given)
    offers = {"offers-TOTAL_FORMS": 1, "offers-INITIAL_FORMS": 0, "parts": 1}
    offer = {"offers-0-name": "Cash", "offers-0-margin": 1800}
    client.post(reverse("targeting:what"), {**offers, **offer, "channels": "sms-memory"})
    return client


@pytest.mark.django_db(transaction=True)
def test_two_submits_at_the_same_moment_start_one_targeting(now, no_worker, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    first = at_step_three(now)
    page = first.get(reverse("targeting:how_much"))
    token = str(page.context["form"]["token"].value())
    assert token in page.content.decode()
    both_here = threading.Barrier(2, timeout=20)
    read_spec = runs.checking.read_spec

    def read_together(*given, **facts):
        found = read_spec(*given, **facts)
        both_here.wait()
        return found

    monkeypatch.setattr(runs.checking, "read_spec", read_together)
    answers = []

    def submit():
        client = Client(headers={"accept-language": "en"})
        client.cookies = first.cookies
        try:
            answers.append(client.post(reverse("targeting:how_much"), {"token": token}))
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    run = TargetingRun.objects.get()
    assert {answer["Location"] for answer in answers} == {reverse("targeting:run", args=[run.pk])}
    assert Work.objects.filter(kind=TARGETING).count() == 1
    assert AuditEntry.objects.filter(action="targeting.started").count() == 1


@pytest.mark.django_db
def test_the_same_form_sent_later_leads_to_the_targeting_it_started(now, no_worker):
    client = at_step_three(now)
    given = {"token": str(uuid4())}
    first = client.post(reverse("targeting:how_much"), given)
    again = client.post(reverse("targeting:how_much"), given, follow=True)
    assert again.redirect_chain[0][0] == first["Location"]
    assert "was started already" in again.content.decode()
    assert TargetingRun.objects.count() == 1
    # A form of its own starts another one.
    assert client.get(reverse("targeting:how_much")).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("was_taken_up", [True, False])
def test_what_a_dead_command_left_fails_with_its_reason(now, no_worker, was_taken_up):
    population(now, count=6)
    make_channel("sms")
    actor = system_actor("command:target_campaign")
    run = runs.start_run(actor=actor, data=description(), now=now, is_background=False)
    Work.objects.filter(pk=run.work_id).update(created_at=Moment())
    if was_taken_up:
        assert claims.claim(run.work_id, now=now)
    assert service.end_abandoned() == 0
    if was_taken_up:
        let_lease_run_out(run.work)
    else:
        Work.objects.filter(pk=run.work_id).update(created_at=Moment(-121))
    assert service.end_abandoned() == 1
    with translation.override("en"):
        work = Work.objects.get(pk=run.work_id)
        assert (work.state, work.holder, work.lease_until) == (WorkState.FAILED, "", None)
        assert "command ended before its work did" in str(work.last_error)
        assert work.finished_at is not None
    assert service.end_abandoned() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(240)
def test_a_command_that_is_killed_while_it_writes_leaves_no_list_and_a_reason(now, tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("the command would not see the database of the test")
    population(now)
    make_channel("sms", cost_per_part="0.045")
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(description()), encoding="utf-8")
    actor = system_actor("test")
    run = runs.start_run(actor=actor, data=description(), now=now, is_background=False)
    runs.run(work_id=run.work_id, now=now, actor=actor)
    assert isinstance(run, TargetingRun)
    slug = "target-spring-cash"
    before = set(versions.audience_of(Segment.objects.get(slug=slug), now=now).values_list("pk"))

    database = connection.settings_dict["NAME"]
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}"))
    with transaction.atomic():
        # The command comes as far as its lists, and waits there.
        Segment.objects.select_for_update().get(slug=slug)
        command = subprocess.Popen(
            [*MANAGE, "target_campaign", str(file)],
            env={**os.environ, "DATABASE_URL": url, "LOANCRM_VAR_DIR": str(tmp_path)},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=(tmp_path / "err").open("wb"),
        )
        try:
            until = time.monotonic() + 150
            while not Work.objects.filter(state=WorkState.RUNNING, done_count=3).exists():
                assert command.poll() is None, (tmp_path / "err").read_text()
                assert time.monotonic() < until
                time.sleep(0.1)
        finally:
            command.send_signal(signal.SIGKILL)
            command.wait()
    work = Work.objects.get(state=WorkState.RUNNING)
    let_lease_run_out(work)
    assert service.end_abandoned() == 1
    work.refresh_from_db()
    assert work.state == WorkState.FAILED
    killed = TargetingRun.objects.get(work=work)
    assert killed.result == {}
    after = set(versions.audience_of(Segment.objects.get(slug=slug), now=now).values_list("pk"))
    assert after == before
