"""What callers see of each mood, over plain sockets; and what the providers write down."""

import http.client
import json
import socket

import pytest

from campaigns.simulators import evidence, moods
from campaigns.simulators.behaviour import Behaviour, SimulatedFate
from campaigns.simulators.control import ControlPort
from campaigns.simulators.moods import Mood, MoodBox, Pieces, Turn
from campaigns.simulators.sms_gateway import SmsGateway
from campaigns.simulators.smtp_sink import SmtpSink


@pytest.fixture
def log_path(tmp_path):
    return tmp_path / "log.jsonl"


@pytest.fixture
def sink(log_path):
    log = evidence.Log(log_path)
    with SmtpSink(log=log) as sink:
        yield sink
    log.close()


@pytest.fixture
def gateway(log_path):
    log = evidence.Log(log_path)
    with SmsGateway(log=log) as gateway:
        yield gateway
    log.close()


class Caller:
    """An SMTP client that sees every packet."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.packets = []
        self.line()

    def line(self):
        data = b""
        while not data.endswith(b"\r\n"):
            packet = self.socket.recv(4096)
            if not packet:
                return data.decode() + "<closed>"
            self.packets.append(packet)
            data += packet
        return data.decode().strip()

    def say(self, words):
        try:
            self.socket.sendall(words)
            return self.line()
        except ConnectionError:
            return "<closed>"

    def mail(self, key="m1", to="p@example.com", *, chunking=False):
        """Return the last reply to one message."""
        self.say(b"MAIL FROM:<a@b.c>\r\n")
        reply = self.say(b"RCPT TO:<%s>\r\n" % to.encode())
        if not reply.startswith("250"):
            return reply
        raw = b"Message-ID: <%s@b.c>\r\n\r\nhello\r\n" % key.encode()
        if chunking:
            return self.say(b"BDAT %d LAST\r\n%s" % (len(raw), raw))
        self.say(b"DATA\r\n")
        return self.say(raw + b".\r\n")


@pytest.fixture
def caller(sink):
    caller = Caller(sink.port)
    yield caller
    caller.socket.close()


def turned(turn, **changes):
    return Mood(shares={turn: 1.0}, **changes)


def entries(log_path):
    return [(e.key, e.turn, e.is_taken, e.answer) for e in evidence.read(log_path)]


@pytest.mark.parametrize("chunking", [False, True])
@pytest.mark.parametrize(
    ("turn", "reply", "key", "taken", "answer"),
    [
        (Turn.ANSWER, "250 2.0.0 Ok: queued", "m1", True, "250"),
        (Turn.THROTTLE, "421 4.7.0 too many messages, closing", "", False, "421"),
        (Turn.UNAVAILABLE, "451 4.3.2 system not accepting messages", "", False, "451"),
        (Turn.GREYLIST, "450 4.7.1 greylisted, try again later", "", False, "450"),
        (Turn.BLOCK, "550 5.7.1 message refused by policy", "", False, "550"),
        (Turn.ERROR, "451 4.3.0 local error in processing", "m1", False, "451"),
        (Turn.CUT, "250 2.0.0<closed>", "m1", True, ""),
        (Turn.DROP_BEFORE, "<closed>", "m1", False, ""),
        (Turn.DROP_AFTER, "<closed>", "m1", True, ""),
    ],
)
def test_a_relay_answers_in_its_mood_and_writes_down_what_it_did(
    sink, caller, log_path, chunking, turn, reply, key, taken, answer
):
    sink.moods.mood = turned(turn)
    assert caller.mail(chunking=chunking) == reply
    assert entries(log_path) == [(key, turn, taken, answer)]
    assert sink.stats.messages == int(taken)


def test_a_silent_relay_takes_the_message_and_hangs_up_later(sink, caller, log_path):
    sink.moods.mood = turned(Turn.SILENT, silence_seconds=0.3)
    assert caller.mail() == "<closed>"
    assert entries(log_path) == [("m1", Turn.SILENT, True, "")]


@pytest.mark.parametrize("pieces", [Pieces.BYTES, Pieces.RANDOM])
def test_f93_a_relay_splits_its_replies(sink, caller, pieces):
    sink.moods.mood = Mood(pieces=pieces, piece_pause_seconds=0.002)
    caller.packets.clear()
    assert caller.mail() == "250 2.0.0 Ok: queued"
    assert len(caller.packets) > 8


def test_a_relay_dawdles_after_it_took_the_message(sink, caller, log_path):
    sink.moods.mood = Mood(dawdle_seconds=0.5)
    caller.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        caller.mail()
    assert entries(log_path) == [("m1", Turn.ANSWER, True, "250")]
    caller.socket.settimeout(5)
    assert caller.line() == "250 2.0.0 Ok: queued"


def test_a_relay_turns_connections_away(sink):
    sink.moods.mood = Mood(refused_connections=1.0)
    with socket.create_connection(("127.0.0.1", sink.port), timeout=5) as connection:
        assert connection.recv(100) == b"421 4.3.2 too many connections\r\n"


def test_an_address_that_is_no_more_is_a_final_refusal(log_path):
    log = evidence.Log(log_path)
    behaviour = Behaviour(rules={"gone": SimulatedFate.REJECT})
    with SmtpSink(log=log, behaviour=behaviour) as sink:
        assert Caller(sink.port).mail(to="gone@example.com").startswith("550 5.1.1")
    log.close()
    assert evidence.count(evidence.read(log_path)).refused == {evidence.person("gone@example.com")}


def post(gateway, *numbers):
    """Return status and body of one request; what came of it before the connection closed."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    messages = [{"id": f"m{n}", "to": f"+8613800{n:06d}", "text": "t"} for n in numbers]
    try:
        connection.request("POST", "/messages", json.dumps({"messages": messages}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.IncompleteRead as error:
        return answer.status, error.partial
    except (http.client.HTTPException, ConnectionError):
        return 0, b""
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("turn", "status", "taken"),
    [
        (Turn.ANSWER, 200, 4),
        (Turn.THROTTLE, 429, 0),
        (Turn.UNAVAILABLE, 503, 0),
        (Turn.ERROR, 500, 0),
        (Turn.ERROR_INSIDE, 200, 0),
        (Turn.BLOCK, 403, 0),
        (Turn.GREYLIST, 200, 0),
        (Turn.BUSY_IN_PART, 200, 2),
        (Turn.PART, 200, 2),
        (Turn.ERROR_AFTER, 502, 4),
        (Turn.CUT, 200, 4),
        (Turn.DROP_BEFORE, 0, 0),
        (Turn.DROP_AFTER, 0, 4),
        (Turn.BUSY_REJECTED, 200, 2),
        (Turn.ODD, 200, 4),
        (Turn.CONTRADICTION, 200, 4),
        (Turn.PACKED, 200, 4),
        (Turn.UNAVAILABLE_AFTER, 503, 4),
    ],
)
def test_a_gateway_answers_in_its_mood_and_writes_down_what_it_did(
    gateway, log_path, turn, status, taken
):
    gateway.moods.mood = turned(turn)
    assert post(gateway, 1, 2, 3, 4)[0] == status
    written = list(evidence.read(log_path))
    assert [entry.key for entry in written] == ["m1", "m2", "m3", "m4"]
    assert sum(entry.is_taken for entry in written) == taken == gateway.taken_count


def test_a_gateway_writes_down_what_it_turned_away(gateway, log_path):
    """Whoever called cannot know that nothing of it was read."""
    gateway.moods.mood = Mood(refused_connections=1.0)
    assert post(gateway, 1, 2) == (0, b"")
    assert entries(log_path) == [(key, Turn.DROP_BEFORE, False, "") for key in ("m1", "m2")]


def test_f23_a_gateway_answers_about_a_part_of_the_batch_only(gateway):
    gateway.moods.mood = turned(Turn.PART)
    results = json.loads(post(gateway, 1, 2, 3, 4)[1])["results"]
    assert [result["id"] for result in results] == ["m1", "m2"]


def test_a_cut_answer_ends_in_its_middle(gateway):
    whole = post(gateway, 9)[1]
    gateway.moods.mood = turned(Turn.CUT)
    cut = post(gateway, 8)[1]
    assert whole.startswith(cut[:10])
    assert 0 < len(cut) < len(whole)


@pytest.mark.parametrize("pieces", [Pieces.BYTES, Pieces.RANDOM])
def test_f93_a_gateway_splits_its_answer(gateway, pieces):
    gateway.moods.mood = Mood(pieces=pieces, piece_pause_seconds=0.002)
    body = json.dumps({"messages": [{"id": "m1", "to": "+8613800000000", "text": "t"}]}).encode()
    head = b"POST /messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    packets = []
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(head % len(body) + body)
        while packet := connection.recv(4096):
            packets.append(packet)
    taken = gateway.messages["m1"].message_id
    assert b"".join(packets).endswith(b'"%s"}]}' % taken.encode())
    assert len(packets) > 2


def test_a_throttled_caller_is_told_how_long(gateway):
    gateway.moods.mood = turned(Turn.THROTTLE, retry_after_seconds=7)
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    connection.request("POST", "/messages", b'{"messages": []}')
    assert connection.getresponse().headers["Retry-After"] == "7"
    connection.close()


def test_a_gateway_knows_repeated_keys_unless_it_forgets_them(gateway, log_path):
    assert post(gateway, 1) == post(gateway, 1)
    assert [e.is_taken for e in evidence.read(log_path)] == [True, False]
    gateway.moods.mood = moods.PRESETS["forgetful"]
    post(gateway, 1)
    assert evidence.count(evidence.read(log_path)).duplicates == 1


def test_moods_change_through_the_control_port():
    box = MoodBox()
    with ControlPort({"sms": box}) as control:

        def call(method, path, content=None):
            connection = http.client.HTTPConnection("127.0.0.1", control.port, timeout=5)
            connection.request(method, path, content)
            answer = connection.getresponse()
            try:
                return answer.status, answer.read()
            finally:
                connection.close()

        def put(name, content):
            return call("PUT", f"/{name}", content)[0]

        assert put("sms", b'{"shares": {"cut": 0.5}, "pieces": "bytes"}') == 204
        assert box.mood == Mood(shares={Turn.CUT: 0.5}, pieces=Pieces.BYTES)
        assert put("sms", b'{"shares": {"nosuch": 0.5}}') == 400
        assert put("sms", b"{") == 400
        assert put("nosuch", b"{}") == 404
        assert json.loads(call("GET", "/")[1])["sms"]["shares"] == {"cut": 0.5}
    assert box.mood.pieces is Pieces.BYTES
