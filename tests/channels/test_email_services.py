import base64
import hashlib
import hmac
import json
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import unquote_plus

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from campaigns.channels import registry
from campaigns.channels.base import EmailPayload, SendOutcome, SmsPayload, WebhookRequest
from campaigns.channels.email_services.channel import EmailServiceChannel, EmailServiceOptions
from campaigns.channels.email_services.services import SERVICES
from campaigns.channels.errors import (
    ChannelBlocked,
    ChannelMisconfigured,
    ChannelThrottled,
    ChannelUnavailable,
    WebhookRefused,
)
from campaigns.domain.receipts.replies import ReplyMeaning
from campaigns.simulators.sms_answers import ForcedAnswer
from tests.channels.awkward_contract import AwkwardServerContract
from tests.channels.contract import AT, SECRET, ChannelContract, email_payload, outbound
from tests.channels.email_service_gateway import EmailServiceGateway

NAMES = sorted(SERVICES)
PRIVATE = ec.derive_private_key(20_260_304, ec.SECP256R1())
OTHER = ec.derive_private_key(20_260_305, ec.SECP256R1())
PUBLIC = base64.b64encode(
    PRIVATE.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
LOGIN = "reports:a-long-password"


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.fixture
def service():
    return "postmark"


@pytest.fixture
def server(service):
    with EmailServiceGateway(service) as gateway:
        gateway.takings = []
        gateway.on_message = lambda taken: gateway.takings.append(int(taken.key[1:]))
        yield gateway


def _channel(service, url, **options):
    given = {"secret": "key-1", "webhook_secret": PUBLIC, "api_url": url, "timeout_seconds": 5.0}
    return EmailServiceChannel("mail", EmailServiceOptions(service=service, **{**given, **options}))


@pytest.fixture
def channel(service, server):
    channel = _channel(service, server.url)
    yield channel
    channel.close()


def _send(service, url, *messages, **options):
    channel = _channel(service, url, **options)
    try:
        return channel.send(list(messages))
    finally:
        channel.close()


def _mail(number=1):
    return outbound(number, f"person{number}@example.com", email_payload())


class _Contract(ChannelContract):
    """Reports are proven as SendGrid proves them: the one that signs time and body."""

    kind = "email"

    def address(self, number):
        return f"person{number}@example.com"


class TestSendGrid(_Contract):
    @pytest.fixture
    def service(self):
        return "sendgrid"

    def _signed(self, body, *, secret=SECRET, at=AT):
        stamp = str(int(at.timestamp()))
        key = PRIVATE if secret == SECRET else OTHER
        signature = key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "content-type": "application/json",
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": stamp,
        }
        return WebhookRequest(headers=headers, body=body, received_at=AT)

    def _report(self):
        event = {
            "sg_event_id": "e1",
            "event": "delivered",
            "email": "person1@example.com",
            "loancrm_key": "m1",
            "timestamp": int(AT.timestamp()),
        }
        return json.dumps([event]).encode()


class _SendingOnly(_Contract):
    """The other services' reports are proven by tests of their own, further down."""

    test_a_signed_report_is_read_the_same_each_time = None
    test_a_report_that_is_not_proven_is_refused = None


class TestMailgun(_SendingOnly):
    @pytest.fixture
    def service(self):
        return "mailgun"


class TestPostmark(_SendingOnly):
    pass


class TestBrevo(_SendingOnly):
    @pytest.fixture
    def service(self):
        return "brevo"


class TestAwkwardService(AwkwardServerContract):
    def port(self, server):
        return server.port

    def channel_to(self, port):
        return _channel(
            "postmark",
            f"http://127.0.0.1:{port}/",
            connections=3,
            timeout_seconds=20,
            connect_timeout_seconds=1,
        )

    def batch(self, numbers):
        return [_mail(number) for number in numbers]

    def taken(self, server):
        return server.takings


@pytest.mark.parametrize("service", NAMES)
def test_g14_each_service_gets_the_whole_mail(service, server):
    mail = EmailMessage()
    mail["From"] = "诚信 <news@lender.example>"
    mail["To"] = "a@example.com"
    mail["Subject"] = "您的额度"
    mail["List-Unsubscribe"] = "<https://lender.example/u/1/>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("您好")
    mail.add_alternative("<p>您好</p>", subtype="html")
    payload = EmailPayload(sender="bounce@lender.example", raw=mail.as_bytes())
    (result,) = _send(service, server.url, outbound(1, "a@example.com", payload))
    assert result.outcome is SendOutcome.ACCEPTED
    assert result.provider_message_id
    assert server.messages["m1"].to == "a@example.com"
    (body,) = server.bodies
    text = unquote_plus(body.decode()) if service == "mailgun" else json.dumps(json.loads(body))
    text = text.encode().decode("unicode_escape") if service != "mailgun" else text
    for part in ("news@lender.example", "您的额度", "<https://lender.example/u/1/>", "One-Click"):
        assert part in text
    assert "<p>您好</p>" in text


@pytest.mark.parametrize(
    ("service", "answer", "error"),
    [
        ("sendgrid", ForcedAnswer(401, body=b'{"errors": [{"message": "no"}]}'), ChannelBlocked),
        ("sendgrid", ForcedAnswer(429, {"Retry-After": "7"}), ChannelThrottled),
        ("mailgun", ForcedAnswer(403, body=b'{"message": "not activated"}'), ChannelBlocked),
        ("mailgun", ForcedAnswer(404, body=b"Domain not found"), ChannelMisconfigured),
        ("postmark", ForcedAnswer(422, body=b'{"ErrorCode": 405, "Message": "x"}'), ChannelBlocked),
        ("postmark", ForcedAnswer(422, body=b'{"ErrorCode": 412, "Message": "x"}'), ChannelBlocked),
        ("postmark", ForcedAnswer(503, body=b'{"ErrorCode": 100}'), ChannelUnavailable),
        ("brevo", ForcedAnswer(402, body=b'{"code": "not_enough_credits"}'), ChannelBlocked),
        ("brevo", ForcedAnswer(400, body=b'{"code": "account_under_validation"}'), ChannelBlocked),
        ("brevo", ForcedAnswer(302, {"Location": "http://127.0.0.1:1/"}), ChannelMisconfigured),
    ],
)  # fmt: skip
def test_g7_a_refused_account_blames_nobody(server, service, answer, error):
    server.forced.append(answer)
    with pytest.raises(error):
        _send(service, server.url, _mail())
    assert server.messages == {}


@pytest.mark.parametrize(
    ("service", "answer", "expected"),
    [
        ("postmark", ForcedAnswer(422, body=b'{"ErrorCode": 300, "Message": "bad"}'), "rejected"),
        ("postmark", ForcedAnswer(422, body=b'{"ErrorCode": 406, "Message": "gone"}'), "rejected"),
        ("mailgun", ForcedAnswer(400, body=b'{"message": "to is no address"}'), "rejected"),
        ("postmark", ForcedAnswer(500, body=b"<html>"), "unknown"),
        ("postmark", ForcedAnswer(200, body=b"<html>"), "unknown"),
        ("brevo", ForcedAnswer(201, body=b'{"odd": 1}'), "unknown"),
        ("mailgun", ForcedAnswer(200, body=b"Mailgun Magnificent API"), "unknown"),
    ],
)  # fmt: skip
def test_a2_an_answer_about_one_mail_is_its_own(server, service, answer, expected):
    server.forced.append(answer)
    results = _send(service, server.url, _mail(1), _mail(2), connections=1)
    assert sorted(result.outcome.value for result in results) == sorted(["accepted", expected])


def test_a_mail_that_cannot_be_written_costs_no_other(server):
    odd = EmailMessage()
    odd["From"] = "news@lender.example, more@lender.example"
    odd["Subject"] = "x"
    odd.set_content("x")
    payload = EmailPayload(sender="bounce@lender.example", raw=odd.as_bytes())
    results = _send("postmark", server.url, outbound(1, "not an address", payload), _mail(2))
    assert [(r.outcome.value, r.code) for r in results] == [
        ("rejected", "unwritable"),
        ("accepted", ""),
    ]
    assert server.requests == 1


def test_texts_and_accounts_without_a_key_are_not_sent(server):
    with pytest.raises(ChannelMisconfigured):
        _send("postmark", server.url, outbound(1, "+8613800110001", SmsPayload("x", 1)))
    with pytest.raises(ChannelMisconfigured):
        _send("postmark", server.url, _mail(), secret="")
    assert server.requests == 0


@pytest.mark.parametrize(
    "api_url", ["http://api.example/", "https://127.1/", "https://169.254.169.254/"]
)
def test_f54_a_service_is_not_looked_for_inside(api_url, settings):
    settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS = []
    options = {"service": "brevo", "api_url": api_url}
    with pytest.raises(ChannelMisconfigured):
        registry.build(name="mail", backend="email_service", options=options)


def _mailgun_report(event, *, key="signing", age=0, **data):
    stamp, token = str(int(AT.timestamp()) - age), "token-1"
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    body = {
        "signature": {"timestamp": stamp, "token": token, "signature": signature},
        "event-data": {
            "event": event,
            "timestamp": AT.timestamp(),
            "recipient": "a@example.com",
            "user-variables": {"loancrm_key": "m1"},
            **data,
        },
    }
    return WebhookRequest({"content-type": "application/json"}, json.dumps(body).encode(), AT)


def _with_login(body, login=LOGIN):
    token = base64.b64encode(login.encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {token}"}
    return WebhookRequest(headers, json.dumps(body).encode(), AT)


def _postmark_report(**said):
    return _with_login({"MessageID": "p1", "Metadata": {"loancrm_key": "m1"}, **said})


def _brevo_report(event, **said):
    custom = json.dumps({"loancrm_key": "m1"})
    return _with_login({"event": event, "X-Mailin-custom": custom, "message-id": "<p1>", **said})


def _read(service, request):
    secret = {"mailgun": "signing"}.get(service, LOGIN)
    return _channel(service, "", webhook_secret=secret).parse_webhook(request)


_BLOCKED = {"delivery-status": {"message": "550 5.7.1 blocked"}}


@pytest.mark.parametrize(
    ("service", "request_", "expected"),
    [
        ("mailgun", _mailgun_report("delivered"), "delivered"),
        ("mailgun", _mailgun_report("failed", severity="permanent"), "bounced_hard"),
        ("mailgun", _mailgun_report("failed", severity="temporary"), None),
        ("mailgun", _mailgun_report("accepted"), None),
        ("mailgun", _mailgun_report("complained"), "complained"),
        ("mailgun", _mailgun_report("opened"), "opened"),
        (
            "mailgun",
            _mailgun_report("failed", severity="permanent", **_BLOCKED),
            "failed",
        ),
        ("postmark", _postmark_report(RecordType="Delivery"), "delivered"),
        ("postmark", _postmark_report(RecordType="Bounce", Type="HardBounce"), "bounced_hard"),
        ("postmark", _postmark_report(RecordType="Bounce", Type="SoftBounce"), "bounced_soft"),
        ("postmark", _postmark_report(RecordType="Bounce", Type="Blocked"), "failed"),
        ("postmark", _postmark_report(RecordType="SpamComplaint"), "complained"),
        ("brevo", _brevo_report("delivered"), "delivered"),
        ("brevo", _brevo_report("hard_bounce", reason="550 5.1.1 no such user"), "bounced_hard"),
        ("brevo", _brevo_report("hard_bounce", reason="554 5.7.1 IP blocked"), "failed"),
        ("brevo", _brevo_report("soft_bounce"), "bounced_soft"),
        ("brevo", _brevo_report("blocked"), "failed"),
        ("brevo", _brevo_report("spam"), "complained"),
        ("brevo", _brevo_report("deferred"), None),
    ],
)  # fmt: skip
def test_g7_reports_of_a_service_become_ours_and_a_blocked_sender_is_no_bounce(
    service, request_, expected
):
    events = _read(service, request_)
    assert [event.kind.value for event in events] == ([expected] if expected else [])
    assert {event.message_key for event in events} <= {"m1"}
    assert events == _read(service, request_)


def test_whoever_leaves_at_the_service_has_left_here():
    (event,) = _read("brevo", _brevo_report("unsubscribe"))
    assert event.is_refusal
    assert event.read_as is ReplyMeaning.OPT_OUT


def test_no_address_of_a_bounce_is_kept():
    words = "550 5.1.1 <wang.fang@example.com> no such user"
    (event,) = _read("brevo", _brevo_report("hard_bounce", reason=words))
    assert "wang.fang" not in event.detail + repr(event)


@pytest.mark.parametrize(
    ("service", "request_"),
    [
        ("mailgun", _mailgun_report("delivered", key="forged")),
        ("mailgun", _mailgun_report("delivered", age=301)),
        ("mailgun", _mailgun_report("delivered", age=-301)),
        ("mailgun", WebhookRequest({}, b"{}", AT)),
        ("postmark", _with_login({"RecordType": "Delivery"}, login="reports:guess")),
        ("postmark", WebhookRequest({}, b'{"RecordType": "Delivery"}', AT)),
        ("brevo", WebhookRequest({"authorization": "Basic !"}, b'{"event": "spam"}', AT)),
        ("brevo", _with_login({"event": "spam"}, login="")),
    ],
)
def test_forged_old_and_unproven_reports_are_refused(service, request_):
    with pytest.raises(WebhookRefused):
        _read(service, request_)


@pytest.mark.parametrize("service", NAMES)
def test_an_account_without_a_secret_for_reports_takes_none(service):
    channel = _channel(service, "", webhook_secret="")
    for request in (_mailgun_report("delivered", key=""), _brevo_report("spam")):
        with pytest.raises(WebhookRefused):
            channel.parse_webhook(request)


def test_a_report_of_sendgrid_without_a_signature_is_refused():
    later = AT + timedelta(seconds=1)
    with pytest.raises(WebhookRefused):
        _channel("sendgrid", "").parse_webhook(WebhookRequest({}, b'[{"event": "open"}]', later))


@pytest.mark.parametrize(
    ("service", "secret"), [("sendgrid", "no key"), ("sendgrid", LOGIN), ("mailgun", "钥匙")]
)
def test_a_secret_that_is_none_of_the_service_is_for_a_person_to_mend(service, secret):
    with pytest.raises(ChannelMisconfigured):
        _channel(service, "", webhook_secret=secret).parse_webhook(_mailgun_report("opened"))


def test_a_domain_that_would_lead_to_another_address_is_refused():
    with pytest.raises(ChannelMisconfigured):
        registry.build(
            name="mail",
            backend="email_service",
            options={"service": "mailgun", "sender_domain": "a.example/../b"},
        )
