"""Small runs of the benchmarks of sending: they measure what they say, and nobody is forgotten."""

import json
import os

import pytest

from tests.functional import preloaded
from tests.functional.processes import MANAGE, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
_SERVICES = ("DATABASE_URL", "REDIS_URL")


def bench(name, scale):
    without_services = {key: value for key, value in os.environ.items() if key not in _SERVICES}
    words = (*MANAGE, "bench", name, "--json", "--scale", str(scale), "--rounds", "1")
    done = preloaded.run(words, env=without_services, cwd=ROOT, seconds=280)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_dispatch_reports_what_was_agreed():
    report = bench("dispatch", 0.01)
    assert (report["sent"], report["duplicates"], report["lost"]) == (200, 0, 0)
    assert report["messages_per_second"] > 0
    assert report["cpu_ms_per_message"] > 0
    assert report["peak_rss_mb"] > 0
    assert set(report["ratios"]) == {"ratio_to_bare_loop", "ratio_to_task_per_message"}
    assert report["met"] is False


def test_text_messages_all_arrive():
    report = bench("dispatch_sms", 0.02)
    assert (report["sent"], report["duplicates"], report["lost"]) == (200, 0, 0)


def test_freezing_is_compared_with_the_same_rows():
    report = bench("plan", 0.001)
    assert report["ratios"]["ratio_to_plain_insert"] > 0
    assert report["rows_per_second"] > 0
