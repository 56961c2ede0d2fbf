from datetime import UTC, datetime

import pytest

from campaigns.channels import signatures
from campaigns.channels.base import WebhookRequest
from campaigns.channels.errors import WebhookRefused

# Published test vector of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNED_AT = datetime.fromtimestamp(1614265330, tz=UTC)
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_published_vector_is_signed_alike():
    signed = signatures.sign(
        secret=SECRET, message_id=HEADERS["webhook-id"], at=SIGNED_AT, body=BODY
    )
    assert signed == HEADERS


def test_any_of_several_signatures_and_secrets_will_do():
    rotated = {**HEADERS, "webhook-signature": "v1,AAAA " + HEADERS["webhook-signature"]}
    request = WebhookRequest(rotated, BODY, SIGNED_AT)
    assert signatures.verify(request, secrets=["old", SECRET]) == HEADERS["webhook-id"]


@pytest.mark.parametrize("missing", sorted(HEADERS))
def test_every_header_is_needed(missing):
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    with pytest.raises(WebhookRefused):
        signatures.verify(WebhookRequest(headers, BODY, SIGNED_AT), secrets=[SECRET])


def test_no_secret_means_no_entry():
    unsigned = signatures.sign(secret="", message_id="m", at=SIGNED_AT, body=BODY)
    with pytest.raises(WebhookRefused):
        signatures.verify(WebhookRequest(unsigned, BODY, SIGNED_AT), secrets=["", ""])


@pytest.mark.parametrize("timestamp", ["", "soon", "-5", "1614265330.5", "9" * 30, "１６１４"])
def test_a_strange_time_stamp_is_refused(timestamp):
    headers = {**HEADERS, "webhook-timestamp": timestamp}
    with pytest.raises(WebhookRefused):
        signatures.verify(WebhookRequest(headers, BODY, SIGNED_AT), secrets=[SECRET])
