"""Workers killed and stopped, a broker emptied, providers that fail: nobody doubled or lost."""

import json
import os

import pytest

from tests.functional import preloaded
from tests.functional.processes import MANAGE, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.timeout(900)]
PEOPLE = 300
KILLS = 6
REQUIRED = {
    "duplicates", "lost", "written_off", "unknown", "unknown_messages", "unknown_bound",
    "balanced", "kills", "seconds", "faults", "database", "seed", "met",
}  # fmt: skip


def chaos(*words):
    words = (*MANAGE, "chaos", "dispatch", *words)
    return preloaded.run(words, env=os.environ, cwd=ROOT, seconds=880)


def test_g13_g2_six_kills_among_three_hundred_people_harm_nobody():
    done = chaos(
        "--json", "--seed", "20", "--n", str(PEOPLE), "--kills", str(KILLS), "--pace-seconds", "1"
    )
    report = json.loads(done.stdout.strip().splitlines()[-1])
    assert set(report) >= REQUIRED
    harm = {key: report[key] for key in ("duplicates", "lost", "written_off", "strangers")}
    assert harm == {"duplicates": 0, "lost": 0, "written_off": 0, "strangers": 0}, report
    assert report["balanced"], report
    assert len(report["unknown_messages"]) == report["unknown"] <= report["unknown_bound"], report
    assert sum(report["states"].values()) == 3 * PEOPLE
    assert report["kills"] >= KILLS
    assert report["faults"]["stop"] >= 1
    assert report["faults"]["empty_broker"] >= 1
    assert report["met"], report
    assert done.returncode == 0


@pytest.mark.parametrize(
    "words", [("--n", "0"), ("--kills", "-1"), ("--pace-seconds", "0"), ("--limit-seconds", "0")]
)
def test_an_order_that_cannot_be_is_refused_in_one_line(words):
    done = chaos(*words)
    assert done.returncode == 2
    assert "argument_wrong: " in done.stderr
    assert done.stderr.count("\n") == 1
