import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from campaigns.channels.base import SendOutcome, SmsPayload
from campaigns.channels.http_sms import HttpSmsChannel, HttpSmsOptions
from campaigns.channels.smtp import SmtpChannel
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.channels.webhook import WebhookChannel, WebhookOptions
from campaigns.simulators import evidence
from tests.channels.contract import SECRET, email_payload, outbound

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def gateways(tmp_path):
    command = [
        sys.executable, "manage.py", "simulate_gateways", "--smtp-port", "0",
        "--stats", str(tmp_path / "stats.json"), "--record", str(tmp_path / "messages.jsonl"),
        "--log-dir", str(tmp_path / "logs"), "--control-port", "0", "--sms-mood", "bytes",
        "--webhook-port", "0", "--webhook-secret", SECRET,
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "loancrm.settings.test"},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process, json.loads(process.stdout.readline())
    process.kill()
    process.wait(timeout=10)
    process.stdout.close()


def test_both_providers_take_messages_count_them_and_stop_cleanly(gateways, tmp_path, settings):
    process, announced = gateways
    relay = SmtpChannel("relay", SmtpOptions(port=announced["smtp_port"]))
    relay.send([outbound(n, f"p{n % 9}@example.com", email_payload()) for n in range(10)])
    relay.close()
    gateway = HttpSmsChannel("sms", HttpSmsOptions(url=announced["sms_url"]))
    gateway.send([outbound(11, "+8613800138000", SmsPayload("【诚信】您好", 1))])
    gateway.close()
    settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS = ["127.0.0.1"]
    own = WebhookChannel("own", WebhookOptions(url=announced["webhook_url"], secret=SECRET))
    (taken,) = own.send([outbound(12, "+8613800138001", SmsPayload("【诚信】您好", 1))])
    own.close()
    assert taken.outcome is SendOutcome.ACCEPTED
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    stats = json.loads((tmp_path / "stats.json").read_text(encoding="utf-8"))
    assert stats["smtp"]["messages"] == 10
    assert stats["smtp"]["distinct_recipients"] == 9
    assert stats["smtp"]["repeated"] == 1
    assert stats["sms"] == {"messages": 1, "requests": 1, "repeated": 0}
    lines = (tmp_path / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    recorded = [json.loads(line) for line in lines]
    assert len(recorded) == 12
    assert {line["channel"] for line in recorded} == {"email", "sms", "own"}
    assert [line["text"] for line in recorded if line["channel"] == "sms"] == ["【诚信】您好"]


def test_each_provider_keeps_a_log_that_outlives_its_kill(gateways, tmp_path):
    process, announced = gateways
    relay = SmtpChannel("relay", SmtpOptions(port=announced["smtp_port"]))
    relay.send([outbound(n, f"p{n}@example.com", email_payload()) for n in range(3)])
    _put_mood(announced["control_port"], "smtp", {"shares": {"block": 1.0}})
    relay.send([outbound(9, "p9@example.com", email_payload())])
    relay.close()
    gateway = HttpSmsChannel("sms", HttpSmsOptions(url=announced["sms_url"]))
    gateway.send([outbound(11, "+8613800138000", SmsPayload("【诚信】您好", 1))])
    gateway.close()
    process.kill()
    process.wait(timeout=10)
    mails = list(evidence.read(tmp_path / "logs" / "smtp.jsonl"))
    assert sorted((e.person, e.is_taken, e.answer) for e in mails) == sorted(
        (evidence.person(f"p{n}@example.com"), n != 9, "550" if n == 9 else "250")
        for n in (0, 1, 2, 9)
    )
    texts = list(evidence.read(tmp_path / "logs" / "sms.jsonl"))
    assert [(e.key, e.is_taken) for e in texts] == [("m11", True)]


def _put_mood(port, name, mood):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("PUT", f"/{name}", json.dumps(mood))
    assert connection.getresponse().status == 204
    connection.close()


@pytest.mark.parametrize(
    "arguments", [("--sms-mood", "nosuch"), ("--smtp-mood", '{"shares": {"cut": 2}}')]
)
def test_a_mood_that_cannot_be_is_refused_in_one_line(arguments):
    with pytest.raises(CommandError, match=r"^argument_wrong: ") as refusal:
        call_command("simulate_gateways", *arguments)
    assert refusal.value.returncode == 2
