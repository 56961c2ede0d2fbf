import pytest

from campaigns.domain.receipts.bounces import read_bounce
from campaigns.domain.receipts.report import DeliveryKind

DSN = """From: MAILER-DAEMON@mx.example.net
To: news@lender.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I am sorry.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Wed, 4 Mar 2026 02:00:00 +0000

Final-Recipient: rfc822; wang@example.com
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnosis}

--B
{returned}
--B--
"""
HEADERS = """Content-Type: text/rfc822-headers

From: news@lender.example
Message-ID: <{key}@lender.example>
Subject: x
"""
WHOLE = """Content-Type: message/rfc822

From: news@lender.example
Message-ID: <{key}@lender.example>
Subject: x

body
"""


def _dsn(action="failed", status="5.1.1", returned=HEADERS, key="m42", diagnosis=""):
    text = DSN.format(
        action=action,
        status=status,
        returned=returned.format(key=key),
        diagnosis=diagnosis or f"{status} something",
    )
    return text.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("failed", "5.1.1", DeliveryKind.BOUNCED_HARD),
        ("Failed", "5.1.10", DeliveryKind.BOUNCED_HARD),
        ("failed", "5.2.1", DeliveryKind.BOUNCED_HARD),
        ("failed", "5.2.2", DeliveryKind.BOUNCED_SOFT),
        ("failed", "4.4.7", DeliveryKind.BOUNCED_SOFT),
        ("failed", "5.7.1", DeliveryKind.FAILED),
        ("delivered", "2.0.0", DeliveryKind.DELIVERED),
    ],
)
def test_a_report_becomes_the_event_that_its_status_says(now, action, status, kind):
    (event,) = read_bounce(_dsn(action, status), received_at=now)
    assert (event.kind, event.message_key, event.detail) == (kind, "m42", status)
    assert "@" not in event.detail


@pytest.mark.parametrize(
    ("status", "diagnosis", "kind"),
    [
        ("5.0.0", "550 User not found: wang@163.com", DeliveryKind.BOUNCED_HARD),
        ("5.0.0", "550 Mailbox not found. http://service.mail.qq.com", DeliveryKind.BOUNCED_HARD),
        ("5.0.0", "550 5.1.1 no such user", DeliveryKind.BOUNCED_HARD),
        ("5.5.0", "550 Requested action not taken: mailbox unavailable", DeliveryKind.BOUNCED_HARD),
        ("5.0.0", "550 5.7.1 blocked by policy", DeliveryKind.FAILED),
        ("5.0.0", "550 Ip frequency limited", DeliveryKind.FAILED),
        ("5.0.0", "552 Quota exceeded", DeliveryKind.BOUNCED_SOFT),
        ("4.4.1", "451 user unknown at the moment", DeliveryKind.BOUNCED_SOFT),
    ],
)
def test_g3_the_words_of_a_diagnosis_count_like_those_of_a_refusal(now, status, diagnosis, kind):
    (event,) = read_bounce(_dsn(status=status, diagnosis=diagnosis), received_at=now)
    assert event.kind is kind
    assert "@" not in event.detail


@pytest.mark.parametrize("returned", [HEADERS, WHOLE])
def test_the_message_is_named_by_what_came_back(now, returned):
    assert read_bounce(_dsn(returned=returned), received_at=now)[0].message_key == "m42"


def test_the_same_report_has_the_same_id(now):
    first, second = (read_bounce(_dsn(), received_at=now) for _again in range(2))
    assert first == second
    assert read_bounce(_dsn(status="5.2.1"), received_at=now) != first


@pytest.mark.parametrize(
    ("_case", "raw"),
    [
        ("delayed", _dsn("delayed", "4.4.1")),
        ("not our message", _dsn(key="spam-77")),
        ("no returned headers", _dsn(returned="Content-Type: text/plain\n\nnothing")),
        ("no report at all", b"From: a@b.c\r\nSubject: out of office\r\n\r\nhello"),
        ("empty", b""),
        ("rubbish", b"\xff\x00" * 50),
        ("huge", b"x" * 2_000_000),
    ],
)
def test_what_proves_nothing_gives_no_event(now, _case, raw):
    assert read_bounce(raw, received_at=now) == ()
