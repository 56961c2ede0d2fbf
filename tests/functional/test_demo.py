"""The whole job as `make demo SERVE=0` shows it, on fewer people."""

import json

import pytest

from tests.functional import preloaded, processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


FIRST = ("first-loan-sms", "on-time-thanks", "come-back")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    result = folder / "reports.json"
    words = ("demo", "--no-serve", "--customers", "700", "--json", str(result))
    done = preloaded.run(
        [*processes.MANAGE, *words],
        env=processes.environment(folder),
        cwd=processes.ROOT,
        seconds=270,
    )
    logs = [path.read_text(errors="replace")[-2_000:] for path in folder.rglob("logs/*.log")]
    assert done.returncode == 0, "\n".join([done.stdout, done.stderr, *logs])
    return done.stdout, {one["campaign"]: one for one in json.loads(result.read_text())}


def test_the_reports_are_printed_and_no_process_is_left(demo):
    text, reports = demo

    assert set(reports) == {*FIRST, "weekly-tips", "unfinished-application"}
    for slug in reports:
        assert slug in text
    assert "All processes stopped" in text


def test_the_scheduled_campaign_was_sent_at_its_own_time(demo):
    text, _reports = demo

    assert "Scheduled e-mail sent at 2026-01-14 10:00" in text


def test_d1_d2_one_campaign_ran_again_and_one_waited_for_what_people_did(demo):
    text, reports = demo

    assert "Run 2 of weekly-tips sent at 2026-01-26 10:00" in text
    assert "people began to apply; unfinished-application wrote half an hour later" in text
    for slug in ("weekly-tips", "unfinished-application"):
        assert 0 < reports[slug]["delivered"] <= reports[slug]["sent"]
        assert reports[slug]["sent"] < reports[slug]["audience"]


def test_every_campaign_held_people_out_reached_people_and_skipped_people(demo):
    text, reports = demo

    for report in (reports[slug] for slug in FIRST):
        assert 0 < report["held_out"] < report["audience"]
        assert 0 < report["delivered"] <= report["sent"]
        assert 0 < report["clicked"] <= report["delivered"]
        assert report["sent"] + report["held_out"] < report["audience"]
    for reason in ("该渠道与目的的授权", "No address for this channel", "Under age"):
        assert reason in text
    assert "no_consent" not in text


def test_models_are_not_used_where_there_are_too_few_people(demo):
    text, _reports = demo

    assert "No model is used with so few people: " in text
    assert "first-loan-sms-2 waits for an approval" in text


def test_leads_were_matched_with_the_people_who_are_known(demo):
    text, _reports = demo

    assert "146 leads of a partner imported: 120 new" in text
    assert "1 rejected" in text
    assert "'identity_missing': 1" in text


def test_figures_carry_their_parts(demo):
    _text, reports = demo

    figure = reports["first-loan-sms"]["figures"]["conversion_rate"]
    assert figure["value"] == figure["numerator"] / figure["denominator"]
    assert figure["low"] < figure["value"] < figure["high"]
    assert figure["excluded_count"] == 0
