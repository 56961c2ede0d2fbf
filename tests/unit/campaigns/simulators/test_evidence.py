import os

from campaigns.simulators import evidence
from campaigns.simulators.evidence import EvidenceEntry
from campaigns.simulators.moods import Turn


def entry(key, person, *, is_taken=True, is_final=False):
    return EvidenceEntry(1, key, person, Turn.ANSWER, is_taken, "250", is_final)


def test_entries_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "logs" / "smtp.jsonl"
    log = evidence.Log(path)
    log.write([entry("m1", "p1"), EvidenceEntry(2, "", "p2", Turn.BLOCK, False, "550", True)])
    middle = evidence.size(path)
    log.write([EvidenceEntry(3, "m3", "p3", Turn.SILENT, True, "")])
    log.close()
    entries = list(evidence.read(path))
    assert [(e.key, e.person, e.turn, e.is_taken, e.is_final) for e in entries] == [
        ("m1", "p1", Turn.ANSWER, True, False),
        ("", "p2", Turn.BLOCK, False, True),
        ("m3", "p3", Turn.SILENT, True, False),
    ]
    assert [e.is_answered for e in entries] == [True, True, False]
    assert [e.key for e in evidence.read(path, offset=middle)] == ["m3"]


def test_a_line_in_the_making_is_left_for_later(tmp_path):
    path = tmp_path / "smtp.jsonl"
    log = evidence.Log(path)
    log.write([entry("m1", "p1")])
    with path.open("ab") as file:
        file.write(b'{"at": 1.5, "conn')
    assert [e.key for e in evidence.read(path)] == ["m1"]
    log.close()


def test_entries_are_there_when_their_writer_dies(tmp_path):
    path = tmp_path / "smtp.jsonl"
    pid = os.fork()
    if pid == 0:
        evidence.Log(path).write([entry("m1", "p1")])
        os._exit(1)
    os.waitpid(pid, 0)
    assert [e.key for e in evidence.read(path)] == ["m1"]


def test_addresses_are_written_as_digests():
    digest = evidence.person(" Person1@example.com ")
    assert digest == evidence.person("person1@example.com")
    assert "person" not in digest


def test_one_lost_and_one_doubled_do_not_cancel_out():
    copies = evidence.count([entry("m1", "a"), entry("m1", "a"), entry("m2", "b")])
    assert copies.duplicates == 1
    assert copies.missing(["a", "b", "c"]) == ["c"]


def test_a_second_message_to_a_person_is_a_duplicate_under_whatever_key():
    assert evidence.count([entry("m1", "a"), entry("m2", "a")]).duplicates == 1


def test_one_message_to_two_people_is_a_duplicate():
    assert evidence.count([entry("m1", "a"), entry("m1", "b")]).duplicates == 1


def test_refusals_and_repeats_are_no_copies():
    copies = evidence.count(
        [
            entry("m1", "a"),
            entry("m1", "a", is_taken=False),
            entry("", "b", is_taken=False, is_final=True),
        ]
    )
    assert copies.duplicates == 0
    assert copies.refused == {"b"}
