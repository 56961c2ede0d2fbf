"""The broker of files under writers and readers that do not wait for each other."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue
from kombu.transport import filesystem

from loancrm.kernel.running import file_broker

MESSAGES = 300


@pytest.fixture
def options(tmp_path):
    for name in ("queue", "control", "processed"):
        (tmp_path / name).mkdir()
    return {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "processed_folder": str(tmp_path / "processed"),
        "control_folder": str(tmp_path / "control"),
        "store_processed": False,
    }


@pytest.fixture
def connect(options):
    file_broker.register()
    open_ones = []

    def connect_one():
        found = Connection(file_broker.URL, transport_options=options)
        open_ones.append(found)
        return found

    yield connect_one
    for each in open_ones:
        each.release()


def test_settings_use_it_without_redis():
    from loancrm.celery import app  # noqa: PLC0415 - registers the scheme

    with Connection(file_broker.URL) as connection:
        assert isinstance(connection.transport, file_broker.Transport)
    assert app.conf.broker_url.startswith((file_broker.URL, "redis://", "memory://"))


def test_a_reader_between_opening_and_writing_finds_nothing_not_an_empty_message(
    connect, options, monkeypatch
):
    """An empty file was read as a message that is no JSON: the worker ended with it."""
    seen = []
    folder = Path(options["data_folder_in"])
    write = Path.write_bytes

    def look_first(path, content):
        path.touch()
        reader = connect().channel()
        with pytest.raises(Empty):
            reader._get("default")
        seen.append(path.name)
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", look_first)
    channel = connect().channel()
    channel._put("default", {"number": 1})
    assert len(seen) == 1
    assert [path.suffix for path in folder.iterdir()] == [".msg"]
    assert connect().channel()._get("default") == {"number": 1}


def _write(connection):
    exchange = Exchange("default", "direct")
    queue = Queue("default", exchange, routing_key="default")
    producer = connection.Producer()
    for number in range(MESSAGES):
        producer.publish(
            {"number": number, "body": "x" * 4000},
            exchange=exchange,
            routing_key="default",
            declare=[queue],
        )


def _read(channel, was_all_written, got):
    """Read until nothing is left after the last was written."""
    while True:
        is_last_look = was_all_written.is_set()
        try:
            got.append(channel._get("default"))
        except Empty:
            if is_last_look:
                return
            time.sleep(0.001)


def test_writers_and_readers_side_by_side_lose_and_break_nothing(connect):
    got, was_all_written = [], threading.Event()
    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(_read, connect().channel(), was_all_written, got) for _ in range(2)]
        writing = [pool.submit(_write, connect()) for _ in range(2)]
        for each in writing:
            each.result(timeout=60)
        was_all_written.set()
        for each in reading:
            each.result(timeout=60)
    assert len(got) == 2 * MESSAGES


def test_a_job_is_kept_while_another_thread_has_only_begun_to_bind_its_queue(connect):
    """kombu notes a binding before it stores it: whoever published in between lost the message."""
    connection = connect()
    exchange = Exchange("imports", "direct")
    connection.Producer().publish({"number": 1}, exchange=exchange, routing_key="imports")
    assert connection.channel()._get("imports")["content-type"] == "application/json"


def test_a_message_that_another_reader_was_faster_to_take_is_passed_over(
    connect, options, monkeypatch
):
    channel = connect().channel()
    for number in range(2):
        channel._put("default", {"number": number})
    rename, taken = Path.rename, []

    def lose_the_first(path, target):
        if not taken:
            taken.append(json.loads(path.read_text(encoding="utf-8"))["number"])
            path.unlink()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", lose_the_first)
    assert channel._get("default") == {"number": 1 - taken[0]}
    with pytest.raises(Empty):
        channel._get("default")
    assert list(Path(options["processed_folder"]).iterdir()) == []


def test_a_table_is_not_read_while_it_is_written(connect, monkeypatch):
    """A publisher that met a table just opened for writing got an error for an answer."""
    channel = connect().channel()
    is_open, may_write = threading.Event(), threading.Event()
    dumps = filesystem.dumps

    def write_late(content):
        is_open.set()
        may_write.wait(5)
        return dumps(content)

    monkeypatch.setattr(filesystem, "dumps", write_late)
    binder = threading.Thread(
        target=channel._queue_bind, args=("default", "default", "", "default")
    )
    binder.start()
    assert is_open.wait(5)
    found = []
    reader = threading.Thread(target=lambda: found.extend(connect().channel().get_table("default")))
    reader.start()
    reader.join(0.2)
    may_write.set()
    binder.join()
    reader.join()
    assert [row.queue for row in found] == ["default"]


def test_a_table_that_was_cut_off_is_made_anew(connect, options):
    """A kill between opening and writing left an empty file that no process got over."""
    table = Path(options["control_folder"]) / "default.exchange"
    table.touch()
    channel = connect().channel()
    assert channel.get_table("default") == []
    channel._queue_bind("default", "default", "", "default")
    assert [row.queue for row in connect().channel().get_table("default")] == ["default"]


def test_what_cannot_be_written_leaves_nothing_behind(connect, options, monkeypatch):
    def refuse(_path, _target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(Exception, match="Cannot add file"):
        connect().channel()._put("default", {"number": 1})
    assert list(Path(options["data_folder_in"]).iterdir()) == []
