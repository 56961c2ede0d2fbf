"""Encryption and login against aiosmtpd, a server that is not ours and offers no PIPELINING."""

import datetime as dt
import socket
import ssl

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from campaigns.channels.errors import ChannelBlocked, ChannelUnavailable
from campaigns.channels.smtp import SmtpChannel
from campaigns.channels.smtp_options import SmtpOptions
from tests.channels.contract import email_payload, outbound


class _Keeper:
    def __init__(self):
        self.taken = []

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.taken.append((session.ssl is not None, envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 Ok: queued as ABC123"


def _authenticate(_server, _session, _envelope, _mechanism, data):
    is_right = (data.login, data.password) == (b"user", b"pass")
    return AuthResult(success=is_right, handled=is_right)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _free_port():
    # The controller cannot be asked for port 0: it connects to the port it was given.
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def relay(context):
    keeper = _Keeper()
    controller = Controller(
        keeper,
        hostname="127.0.0.1",
        port=_free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=_authenticate,
        auth_required=True,
    )
    controller.start()
    keeper.port = controller.port
    yield keeper
    controller.stop()


def _send(count=5, **options):
    channel = SmtpChannel("relay", SmtpOptions(verify_certificate=False, **options))
    try:
        return channel.submit(
            [outbound(n, f"p{n}@example.com", email_payload(f"b{n}")) for n in range(count)]
        ).result(timeout=20)
    finally:
        channel.close()


def test_messages_travel_encrypted_after_a_login(relay):
    results = _send(port=relay.port, security="starttls", username="user", password="pass")
    assert {result.outcome for result in results} == {"accepted"}
    assert {result.provider_message_id for result in results} == {"ABC123"}
    assert len(relay.taken) == 5
    assert all(is_encrypted for is_encrypted, _to, _content in relay.taken)
    assert {content for _tls, _to, content in relay.taken} == {
        email_payload(f"b{n}").raw for n in range(5)
    }


def test_a_sealed_secret_serves_as_the_password(relay):
    results = _send(port=relay.port, security="starttls", username="user", secret="pass")
    assert {result.outcome for result in results} == {"accepted"}


def test_a_refused_login_is_for_a_person_to_mend(relay):
    with pytest.raises(ChannelBlocked):
        _send(port=relay.port, security="starttls", username="user", password="no")
    assert relay.taken == []


def test_a_certificate_that_nobody_vouches_for_is_refused(relay):
    channel = SmtpChannel("relay", SmtpOptions(port=relay.port, security="starttls"))
    with pytest.raises(ChannelUnavailable):
        channel.submit([outbound(1, "a@example.com", email_payload())]).result(timeout=20)
    channel.close()
    assert relay.taken == []


def test_encryption_from_the_first_byte(context):
    keeper = _Keeper()
    controller = Controller(keeper, hostname="127.0.0.1", port=_free_port(), ssl_context=context)
    controller.start()
    try:
        results = _send(port=controller.port, security="tls")
    finally:
        controller.stop()
    assert {result.outcome for result in results} == {"accepted"}
    assert len(keeper.taken) == 5
