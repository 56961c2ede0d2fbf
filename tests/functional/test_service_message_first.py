"""A service message passes a bulk campaign that a slow channel keeps for hours."""

import json
import sys
import time

import pytest

from loancrm.kernel.commands import bench
from tests.functional.installation import (
    SPEC,
    approve_campaign,
    installation,
    manage,
    received,
)
from tests.functional.test_crash_safe_sending import worker_command

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.django_db, pytest.mark.timeout(300)]
PEOPLE = 20_000
LEAVES_WITHIN_SECONDS = 2
# A machine that is busy with something else may be late; it is not late each time.
TRIES = 3
_MAKE_PEOPLE = f"""
from django.contrib.auth.models import User
from tests.factories.people import make_people
make_people({PEOPLE}, kinds=("email",), consents=("email",))
make_people({TRIES}, prefix="s", kinds=("email",), consents=("email",), gender="male")
User.objects.create_superuser("approver")
"""
_BULK = SPEC | {"slug": "bulk", "name": "bulk", "channel": "bulk", "holdout_share": 0}
_SERVICE = SPEC | {
    "channel": "alerts",
    "purpose": "service",
    "service_kind": "notice",
    "holdout_share": 0,
    "segment": {
        "rule": {
            "combinator": "and",
            "rules": [{"field": "gender", "operator": "=", "value": "male"}],
        }
    },
    "content": {"zh-hans": {"subject": "账户通知", "text": "您的还款日已变更，详情请查看账户。"}},
}


def test_g16_a_service_message_leaves_within_two_seconds_beside_a_campaign_of_one_a_second(
    tmp_path,
):
    record = tmp_path / "record.jsonl"
    relay = [
        sys.executable, "manage.py", "simulate_gateways", "--smtp-port", "0",
        "--record", str(record),
    ]  # fmt: skip
    with installation() as variables, bench.process(relay, variables) as gateways:
        port = json.loads(gateways.stdout.readline())["smtp_port"]
        manage(variables, "shell", "-v0", "-c", _MAKE_PEOPLE)
        for channel, rate in (("bulk", ("--rate-per-second", "1")), ("alerts", ())):
            manage(
                variables, "configure_channel", channel, "--kind", "email", "--backend", "smtp",
                "--sender", "示例金融 <news@lender.example>",
                "--options", json.dumps({"port": port}), *rate,
            )  # fmt: skip
        _approve(variables, tmp_path, _BULK)
        slugs = [f"service-{number}" for number in range(TRIES)]
        for slug in slugs:
            _approve(variables, tmp_path, _SERVICE | {"slug": slug, "name": slug})

        with bench.process(worker_command(tmp_path), variables):
            manage(variables, "launch_campaign", "bulk")
            assert bench.wait_until(lambda: received(record).total() > 3, seconds=60)
            seconds = [_seconds_until_sent(variables, slug, record) for slug in slugs]
        status = manage(variables, "campaign_status", "bulk", "--json", parse=True)

    assert min(seconds) < LEAVES_WITHIN_SECONDS, seconds
    assert status["states"]["planned"] > PEOPLE * 0.9


def _approve(variables, folder, content):
    spec = folder / f"{content['slug']}.json"
    spec.write_text(json.dumps(content), encoding="utf-8")
    approve_campaign(variables, spec, content["slug"])


def _seconds_until_sent(variables, slug, record):
    """Launch; return the seconds from then until everybody of it has their message."""

    def to_service():
        return sum(count for to, count in received(record).items() if to.startswith("s"))

    before = to_service()
    manage(variables, "launch_campaign", slug)
    launched = time.monotonic()
    assert bench.wait_until(lambda: to_service() == before + TRIES, seconds=60, pause=0.05), slug
    return time.monotonic() - launched
