"""Every background job has a task, and every task is nothing but a door."""

import ast
import importlib
import os
import re
import subprocess
import sys

from celery import current_app

from loancrm.celery import app
from loancrm.kernel.jobs import Job
from loancrm.kernel.processes import programs
from tests.conventions import source

APPS = ("loancrm", "customers", "campaigns", "analytics")
MODULES = ("loancrm.kernel.work.jobs", "customers.jobs", "campaigns.jobs", "analytics.jobs")
MAX_TASK_STATEMENT_LINES = 10


def _jobs() -> dict[str, Job]:
    found = {}
    for name in MODULES:
        module = importlib.import_module(name)
        found.update({job.name: job for job in vars(module).values() if isinstance(job, Job)})
    return found


def _tasks():
    for file in source.files():
        if file.path.endswith("/tasks.py"):
            for node in file.functions():
                if "shared_task" in source.decorator_names(node):
                    yield file.path, node


def test_every_job_has_a_task_of_its_name():
    current_app.loader.import_default_modules()
    tasks = {
        name: task
        for name, task in current_app.tasks.items()
        # A benchmark registers tasks of its own when another test loads it.
        if name.split(".")[0] in APPS and ".benchmarks." not in name
    }

    assert set(tasks) == set(_jobs())


def test_a_task_takes_keywords_only_and_tolerates_new_ones():
    for path, node in _tasks():
        where = f"{path}:{node.name}"
        assert not node.args.args, where
        assert node.args.kwarg is not None, where


def test_a_task_is_at_most_ten_lines():
    for path, node in _tasks():
        first = node.body[0]
        has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        body = node.body[1:] if has_docstring else node.body
        lines = body[-1].end_lineno - body[0].lineno + 1
        assert lines <= MAX_TASK_STATEMENT_LINES, f"{path}:{node.name}"


def test_the_beat_table_names_jobs_that_exist_with_their_queue():
    jobs = _jobs()

    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in jobs
        assert entry["options"]["queue"] == jobs[entry["task"]].queue


def test_workers_listen_to_every_queue():
    assert {job.queue for job in _jobs().values()} <= set(programs.QUEUES)
    assert len(programs.QUEUES) == len(set(programs.QUEUES))


def test_e2_no_worker_takes_what_is_sent_and_what_is_computed():
    sending, data = {"dispatch", "receipts"}, {"imports", "analytics"}
    kept = {spec.name: _queues(" ".join(spec.command)) for spec in programs.workers(concurrency=1)}
    for layout in (
        kept,
        {line: _queues(line) for line in (source.ROOT / "Procfile").read_text().splitlines()},
        {line: _queues(line) for line in (source.ROOT / "compose.yaml").read_text().splitlines()},
    ):
        served = [queues for queues in layout.values() if queues]
        assert set().union(*served) == set(programs.QUEUES)
        assert not any(queues & sending and queues & data for queues in served)


def _queues(command: str) -> set[str]:
    found = re.search(r'--queues"?,? "?([a-z_,]+)', command)
    return set(found[1].split(",")) if found else set()


def test_d_what_was_lost_or_changed_is_looked_for_without_anybody_asking():
    asked = {entry["task"] for entry in app.conf.beat_schedule.values()}
    wakes = {name for name in _jobs() if name.partition(".")[2].startswith("wake_")}
    assert wakes == {"loancrm.wake_work"}
    assert {*wakes, "customers.clear_imports", "campaigns.verify_ledger"} <= asked


def test_d_no_clock_of_a_host_up_to_three_hours_ahead_discards_what_beat_sent():
    for name, entry in app.conf.beat_schedule.items():
        expires = entry["options"].get("expires")
        assert expires is None or expires > 3 * 3600, name
        # What comes every minute does nothing when there is nothing to do.
        assert expires is None or entry["schedule"] > 60, name


def test_d_a_running_task_is_never_delivered_again():
    current_app.loader.import_default_modules()
    limits = [task.time_limit or app.conf.task_time_limit for task in current_app.tasks.values()]
    code = (
        "from loancrm.settings.base import CELERY_BROKER_TRANSPORT_OPTIONS as options;"
        "print(options['visibility_timeout'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0", "LOANCRM_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(told.stdout) > max(limits) + 600
    assert max(limits) >= 3600


def test_a9_the_worker_for_sending_has_a_process_more_than_drains():
    for number in (1, 7):
        told = subprocess.run(
            [
                sys.executable,
                "-c",
                "from loancrm.celery import app; print(app.conf.worker_concurrency)",
            ],
            env={**os.environ, "LOANCRM_DISPATCH_WORKERS": str(number)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(told.stdout) == number + 1
    # Nothing that starts it says another number.
    commands = [" ".join(spec.command) for spec in programs.workers(concurrency=4)]
    for name in ("compose.yaml", "Procfile"):
        commands += (source.ROOT / name).read_text(encoding="utf-8").splitlines()
    sending = [line for line in commands if "sending@" in line]
    assert len(sending) == 3
    assert not any("--concurrency" in line for line in sending)
