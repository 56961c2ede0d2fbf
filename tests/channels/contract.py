"""What every channel must do, whoever the provider is; test modules subclass `ChannelContract`."""

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from campaigns.channels import signatures
from campaigns.channels.base import (
    Asked,
    CanBeAsked,
    ChannelBackend,
    EmailPayload,
    Outbound,
    Payload,
    SendOutcome,
    SmsPayload,
    WebhookRequest,
)
from campaigns.channels.errors import WebhookRefused
from campaigns.domain.receipts.report import DeliveryKind

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


def email_payload(text: str = "hello") -> EmailPayload:
    raw = f"From: a@example.com\r\nSubject: s\r\n\r\n{text}\r\n".encode()
    return EmailPayload(sender="bounce@example.com", raw=raw)


def outbound(number: int, to: str, payload: Payload) -> Outbound:
    return Outbound(message_id=number, idempotency_key=f"m{number}", to=to, payload=payload)


class ChannelContract(ABC):
    """Subclasses give a channel in a fixture and say what its addresses look like."""

    kind: str

    @abstractmethod
    def address(self, number: int) -> str: ...

    def payload(self) -> Payload:
        if self.kind == "email":
            return email_payload()
        return SmsPayload(text="【诚信】您好，拒收请回复R", parts=1)

    def batch(self, numbers: Sequence[int]) -> list[Outbound]:
        return [outbound(number, self.address(number), self.payload()) for number in numbers]

    def test_g14_a_channel_keeps_the_protocol(self, channel: ChannelBackend):
        assert isinstance(channel, ChannelBackend)
        assert channel.limits.batch_size > 0
        assert channel.limits.flights > 0

    def test_a_channel_that_can_be_asked_knows_what_it_took_and_nothing_else(
        self, channel: ChannelBackend
    ):
        if not isinstance(channel, CanBeAsked) or not channel.can_be_asked:
            pytest.skip("the provider cannot be asked")
        assert channel.ask([]) == {}
        batch = self.batch([1, 2])
        channel.send(batch)
        keys = [message.idempotency_key for message in batch]
        told = channel.ask([*keys, "m3"])
        assert {key: told[key] for key in keys} == dict.fromkeys(keys, Asked.TAKEN)
        assert told.get("m3") is not Asked.TAKEN

    def test_results_come_in_the_order_of_the_batch_one_each(self, channel: ChannelBackend):
        numbers = [5, 3, 9, 1, 7, 2]
        results = channel.send(self.batch(numbers))
        assert [result.message_id for result in results] == numbers
        assert {result.outcome for result in results} == {SendOutcome.ACCEPTED}

    def test_an_empty_batch_gives_no_results(self, channel: ChannelBackend):
        assert channel.send([]) == []
        assert channel.submit([]).result(timeout=5) == []

    def test_several_batches_may_be_under_way_at_once(self, channel: ChannelBackend):
        futures = [
            channel.submit(self.batch(range(start, start + 20))) for start in range(1, 201, 20)
        ]
        results = [result for future in futures for result in future.result(timeout=30)]
        assert [result.message_id for result in results] == list(range(1, 201))
        assert {result.outcome for result in results} == {SendOutcome.ACCEPTED}

    def test_a_closed_channel_opens_again(self, channel: ChannelBackend):
        channel.send(self.batch([1]))
        channel.close()
        channel.close()
        assert channel.send(self.batch([2]))[0].outcome is SendOutcome.ACCEPTED

    def test_no_address_and_no_text_reach_the_log_or_a_repr(
        self, channel: ChannelBackend, caplog: pytest.LogCaptureFixture
    ):
        caplog.set_level(logging.DEBUG)
        batch = self.batch([1, 2])
        results = channel.send(batch)
        shown = caplog.text + repr(batch) + repr(results)
        assert self.address(1) not in shown
        assert "您好" not in shown

    def _signed(self, body: bytes, *, secret: str = SECRET, at: datetime = AT) -> WebhookRequest:
        headers = signatures.sign(secret=secret, message_id="msg_1", at=at, body=body)
        return WebhookRequest(headers=headers, body=body, received_at=AT)

    def _report(self) -> bytes:
        event = {
            "id": "e1",
            "kind": "delivered",
            "key": "m1",
            "message_id": "p1",
            "occurred_at": "2026-03-04T10:00:00+08:00",
        }
        return json.dumps({"events": [event]}).encode()

    def test_a_signed_report_is_read_the_same_each_time(self, channel: ChannelBackend):
        request = self._signed(self._report())
        first, second = channel.parse_webhook(request), channel.parse_webhook(request)
        assert first == second
        assert [(e.provider_event_id, e.kind, e.message_key) for e in first] == [
            ("e1", DeliveryKind.DELIVERED, "m1")
        ]
        assert first[0].occurred_at == datetime(2026, 3, 4, 2, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("_case", "secret", "age_seconds", "tamper"),
        [
            ("another secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0, False),
            ("too old", SECRET, 301, False),
            ("from the future", SECRET, -301, False),
            ("another body", SECRET, 0, True),
        ],
    )
    def test_a_report_that_is_not_proven_is_refused(
        self, channel: ChannelBackend, _case: str, secret: str, age_seconds: int, tamper: bool
    ):
        body = self._report()
        request = self._signed(body, secret=secret, at=AT - timedelta(seconds=age_seconds))
        if tamper:
            request = WebhookRequest(request.headers, body.replace(b"e1", b"e2"), AT)
        with pytest.raises(WebhookRefused):
            channel.parse_webhook(request)

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b'{"events": {}}', b'{"reports": []}', b"\xff\xfe"],
    )
    def test_a_signed_report_that_cannot_be_read_is_refused(
        self, channel: ChannelBackend, body: bytes
    ):
        with pytest.raises(WebhookRefused):
            channel.parse_webhook(self._signed(body))
