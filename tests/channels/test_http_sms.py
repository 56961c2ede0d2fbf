import json

import pytest

from campaigns.channels.base import Outbound, SendOutcome, SmsPayload
from campaigns.channels.errors import (
    ChannelBlocked,
    ChannelMisconfigured,
    ChannelThrottled,
    ChannelUnavailable,
)
from campaigns.channels.http_sms import HttpSmsChannel, HttpSmsOptions
from campaigns.domain.filing.filed_texts import FiledMessage
from campaigns.simulators.behaviour import Behaviour, SimulatedFate
from campaigns.simulators.sms_answers import ForcedAnswer
from campaigns.simulators.sms_gateway import SmsGateway
from tests.channels.contract import SECRET, ChannelContract, email_payload, outbound

RULES = {
    "0000": SimulatedFate.REJECT,
    "9999": SimulatedFate.RETRY,
    "6666": SimulatedFate.HANG,
    "5555": SimulatedFate.DROP,
}


@pytest.fixture
def gateway():
    with SmsGateway(behaviour=Behaviour(rules=RULES), secret=SECRET) as gateway:
        yield gateway


def _channel(gateway, **options):
    return HttpSmsChannel(
        "sms",
        HttpSmsOptions(
            **{
                "url": gateway.url,
                "status_url": gateway.status_url,
                "secret": SECRET,
                "timeout_seconds": 5.0,
                **options,
            }
        ),
    )


@pytest.fixture(params=[1, 7, 50])
def channel(request, gateway):
    channel = _channel(gateway, messages_per_request=request.param, connections=10)
    yield channel
    channel.close()


def _sms(number, ending):
    return outbound(number, f"+86138001{ending}", SmsPayload("【诚信】您好，拒收请回复R", 1))


def _outcomes(results):
    return [(result.outcome.value, result.code) for result in results]


class TestHttpSmsChannel(ChannelContract):
    kind = "sms"

    def address(self, number: int) -> str:
        return f"+861380011{number:04d}"


def test_each_message_has_its_own_result(channel, gateway):
    results = channel.send([_sms(1, "1111"), _sms(2, "0000"), _sms(3, "9999"), _sms(4, "1112")])
    assert _outcomes(results) == [
        ("accepted", ""),
        ("rejected", "number_invalid"),
        ("retry", "later"),
        ("accepted", ""),
    ]
    assert results[0].provider_message_id == gateway.messages["m1"].message_id
    assert sorted(gateway.messages) == ["m1", "m4"]


def test_a_repeated_key_is_not_sent_again(channel, gateway):
    batch = [_sms(number, f"2{number:03d}") for number in range(10)]
    first = channel.send(batch)
    assert channel.send(batch) == first
    assert len(gateway.messages) == 10
    assert gateway.repeated == 10


def test_many_messages_travel_in_one_request(gateway):
    channel = _channel(gateway, messages_per_request=50)
    channel.send([_sms(number, f"3{number:03d}") for number in range(100)])
    channel.close()
    assert gateway.requests == 2


def test_texts_without_signature_are_refused_before_they_leave(channel, gateway):
    unsigned = outbound(1, "+8613800111111", SmsPayload("您好", 1))
    late = outbound(2, "+8613800111111", SmsPayload("您好【诚信】", 1))
    assert _outcomes(channel.send([unsigned, late, _sms(3, "1111")])) == [
        ("rejected", "signature_missing"),
        ("rejected", "signature_missing"),
        ("accepted", ""),
    ]
    assert sorted(gateway.messages) == ["m3"]


@pytest.mark.parametrize(
    ("_case", "answer", "expected"),
    [
        ("broken answer", ForcedAnswer(200, body=b"<html>"), ("retry", "answer_unreadable")),
        ("empty answer", ForcedAnswer(200), ("retry", "no_result")),
        ("server error", ForcedAnswer(500), ("retry", "http_500")),
        ("bad gateway", ForcedAnswer(502), ("retry", "http_502")),
    ],
)
def test_an_unclear_answer_is_tried_again_where_keys_protect(gateway, _case, answer, expected):
    gateway.forced.append(answer)
    channel = _channel(gateway, supports_idempotency=True)
    results = channel.send([_sms(1, "1111"), _sms(2, "1112")])
    channel.close()
    assert _outcomes(results) == [expected] * 2
    assert all(result.may_be_taken for result in results)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a2_an_unclear_answer_is_of_unknown_fate_without_keys(gateway, status):
    gateway.forced.append(ForcedAnswer(status))
    channel = _channel(gateway)
    results = channel.send([_sms(1, "1111")])
    channel.close()
    assert _outcomes(results) == [("unknown", f"http_{status}")]


@pytest.mark.parametrize(
    ("_case", "answer", "error"),
    [
        ("429", ForcedAnswer(429, {"Retry-After": "7"}), ChannelThrottled),
        ("503", ForcedAnswer(503, body=b'{"error": "maintenance"}'), ChannelUnavailable),
        ("503 and when", ForcedAnswer(503, {"Retry-After": "7"}, b"<html>"), ChannelUnavailable),
        ("408 and when", ForcedAnswer(408, {"Retry-After": "7"}), ChannelUnavailable),
        ("401", ForcedAnswer(401), ChannelBlocked),
        ("402", ForcedAnswer(402), ChannelBlocked),
        ("403", ForcedAnswer(403), ChannelBlocked),
        ("404", ForcedAnswer(404), ChannelMisconfigured),
        ("moved", ForcedAnswer(302, {"Location": "/elsewhere"}), ChannelMisconfigured),
        ("error in a 200", ForcedAnswer(200, body=b'{"error": "down"}'), ChannelUnavailable),
        ("busy in a 200", ForcedAnswer(200, body=b'{"error": "system busy"}'), ChannelThrottled),
        (
            "no money in a 200",
            ForcedAnswer(200, body='{"error": "账户余额不足"}'.encode()),
            ChannelBlocked,
        ),
        (
            "suspended in a 400",
            ForcedAnswer(400, body=b'{"code": "account_suspended"}'),
            ChannelBlocked,
        ),
    ],
)
def test_a_refused_batch_is_an_error_for_the_whole_of_it(gateway, _case, answer, error):
    gateway.forced.append(answer)
    channel = _channel(gateway)
    with pytest.raises(error) as refusal:
        channel.send([_sms(1, "1111"), _sms(2, "1112")])
    channel.close()
    assert gateway.messages == {}
    if answer.status == 429:
        assert refusal.value.retry_after_seconds == 7


def test_only_the_refused_part_of_a_batch_is_put_off(gateway):
    gateway.forced.append(ForcedAnswer(429, {"Retry-After": "7"}))
    channel = _channel(gateway, messages_per_request=2, connections=1)
    results = channel.send([_sms(number, f"4{number:03d}") for number in range(4)])
    channel.close()
    outcomes = [result.outcome for result in results]
    assert sorted(outcomes) == ["accepted", "accepted", "not_taken", "not_taken"]
    assert {r.retry_after_seconds for r in results if r.outcome is SendOutcome.NOT_TAKEN} == {7}
    assert len(gateway.messages) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a3_a_busy_gateway_takes_nothing_and_says_when_to_come_back(gateway, status):
    gateway.forced.append(ForcedAnswer(status, {"Retry-After": "60"}))
    channel = _channel(gateway, messages_per_request=50)
    with pytest.raises((ChannelThrottled, ChannelUnavailable)) as refusal:
        channel.send([_sms(number, f"5{number:03d}") for number in range(40)])
    channel.close()
    assert refusal.value.retry_after_seconds == 60
    assert gateway.messages == {}


def test_a6_a_batch_refused_for_the_accounts_sake_blames_nobody_in_it(gateway):
    refused = [
        {"id": f"m{number}", "status": "rejected", "code": "insufficient_balance"}
        for number in (1, 2)
    ]
    gateway.forced.append(ForcedAnswer(200, body=json.dumps({"results": refused}).encode()))
    channel = _channel(gateway)
    with pytest.raises(ChannelBlocked) as refusal:
        channel.send([_sms(1, "1111"), _sms(2, "1112")])
    channel.close()
    assert refusal.value.problem == "insufficient_balance"


def test_a6_money_that_ends_within_a_batch_fails_nobody(gateway):
    said = [
        {"id": "m1", "status": "accepted", "message_id": "p1"},
        {"id": "m2", "status": "rejected", "code": "insufficient_balance"},
        {"id": "m3", "status": "rejected", "code": "number_invalid"},
    ]
    gateway.forced.append(ForcedAnswer(200, body=json.dumps({"results": said}).encode()))
    channel = _channel(gateway)
    results = channel.send([_sms(1, "1111"), _sms(2, "1112"), _sms(3, "1113")])
    channel.close()
    assert _outcomes(results) == [
        ("accepted", ""),
        ("not_taken", "insufficient_balance"),
        ("rejected", "number_invalid"),
    ]


def test_a_gateway_is_not_trusted_with_repeated_keys_unless_somebody_says_so():
    channel = HttpSmsChannel("sms", HttpSmsOptions())
    assert not channel.limits.supports_idempotency


def test_one_bad_message_does_not_cost_the_others(gateway):
    gateway.forced.append(ForcedAnswer(400))
    channel = _channel(gateway)
    results = channel.send([_sms(1, "1111"), _sms(2, "1112"), _sms(3, "1113")])
    channel.close()
    assert _outcomes(results) == [("accepted", "")] * 3
    assert gateway.requests == 4


def test_a_gateway_that_takes_fewer_is_given_fewer(gateway):
    gateway.max_messages = 1
    channel = _channel(gateway)
    results = channel.send([_sms(1, "1111"), _sms(2, "1112")])
    channel.close()
    assert _outcomes(results) == [("accepted", "")] * 2


def test_a_hanging_gateway_leaves_the_fate_unknown(gateway):
    channel = _channel(gateway, timeout_seconds=0.3, messages_per_request=1)
    results = channel.send([_sms(1, "6666"), _sms(2, "1111")])
    channel.close()
    assert _outcomes(results) == [("unknown", "timeout"), ("accepted", "")]


def test_a_connection_cut_before_the_answer_leaves_the_fate_unknown(gateway):
    channel = _channel(gateway)
    results = channel.send([_sms(1, "5555")])
    channel.close()
    assert _outcomes(results) == [("unknown", "connection_lost")]
    assert sorted(gateway.messages) == ["m1"]


def test_nothing_listens():
    with SmsGateway() as gone:
        url = gone.url
    channel = HttpSmsChannel("sms", HttpSmsOptions(url=url))
    with pytest.raises(ChannelUnavailable):
        channel.send([_sms(1, "1111")])
    channel.close()


def test_a_wrong_secret_is_for_a_person_to_mend(gateway):
    channel = _channel(gateway, secret="another")
    with pytest.raises(ChannelBlocked):
        channel.send([_sms(1, "1111")])
    channel.close()


def test_mails_are_not_for_sms(gateway):
    channel = _channel(gateway)
    with pytest.raises(ChannelMisconfigured):
        channel.send([outbound(1, "a@example.com", email_payload())])
    channel.close()


def test_g15_a_filed_template_goes_out_as_its_number_and_values():
    filed = FiledMessage("SMS_1", {"name": "王小明"})
    message = Outbound(1, "k1", "+8613800138000", SmsPayload("【示例金融】您好王小明", 1, filed))
    with SmsGateway() as gateway:
        channel = HttpSmsChannel("sms", HttpSmsOptions(url=gateway.url))
        assert channel.send([message])[0].outcome is SendOutcome.ACCEPTED
        channel.close()
        taken = gateway.messages["k1"]
    assert (taken.template_id, taken.variables, taken.text) == ("SMS_1", {"name": "王小明"}, "")
