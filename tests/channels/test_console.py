import pytest

from campaigns.channels.base import SmsPayload, WebhookRequest
from campaigns.channels.console import ConsoleChannel, ConsoleOptions
from campaigns.channels.errors import WebhookRefused
from tests.channels.contract import AT, email_payload, outbound


def test_a_line_a_message_with_the_address_masked(capsys: pytest.CaptureFixture[str]):
    channel = ConsoleChannel("console", ConsoleOptions())
    results = channel.send(
        [
            outbound(1, "wang@example.com", email_payload()),
            outbound(2, "+8613800138000", SmsPayload("【诚信】您好", 1)),
        ]
    )
    assert [result.outcome for result in results] == ["accepted", "accepted"]
    shown = capsys.readouterr().err
    assert shown.count("\n") == 2
    assert "w***@example.com" in shown
    assert "+86138****8000" in shown
    assert "wang@" not in shown
    assert "您好" not in shown


def test_the_text_is_shown_on_request_only(capsys: pytest.CaptureFixture[str]):
    channel = ConsoleChannel("console", ConsoleOptions(show_text=True))
    channel.send([outbound(2, "+8613800138000", SmsPayload("【诚信】您好", 1))])
    assert "【诚信】您好" in capsys.readouterr().err


def test_nobody_reports_to_the_console():
    with pytest.raises(WebhookRefused):
        ConsoleChannel("console", ConsoleOptions()).parse_webhook(WebhookRequest({}, b"", AT))
