"""The encoding of a text file: certain, or asked for."""

from pathlib import Path

import pytest

from customers.domain.reading.encodings import text_facts
from customers.domain.reading.tables import TabularError
from customers.domain.reading.tabular import open_table

PEOPLE = "客户号,姓名,城市\n" + "".join(
    f"A{number},{name},{city}\n"
    for number, (name, city) in enumerate([("王小明", "杭州"), ("李娜", "西安"), ("张伟", "成都")])
)
TRADITIONAL = "客戶號,姓名,城市\n" + "A1,陳小華,臺北\nA2,黃國樑,高雄\nA3,劉麗蓮,臺中\n"


def write(folder: Path, content: bytes) -> Path:
    path = folder / "people.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"id,name\n1,a\n", "utf-8"),
        (PEOPLE.encode(), "utf-8"),
        (PEOPLE.encode("utf-8-sig"), "utf-8-sig"),
        (PEOPLE.encode("gb18030"), "gb18030"),
        (PEOPLE.encode("utf-16"), "utf-16"),
        ("id,name\n1,José\n2,Müller\n".encode(), "utf-8"),
    ],
)
def test_what_leaves_no_doubt_is_found_out(tmp_path: Path, content: bytes, encoding: str) -> None:
    assert text_facts(write(tmp_path, content)).encoding == encoding


@pytest.mark.parametrize(
    ("content", "candidate"),
    [
        (TRADITIONAL.encode("big5hkscs"), "big5hkscs"),
        ("id,name\n1,李\n".encode("gb18030"), "gb18030"),
        ("id,name\n1,José\n2,Müller\n3,Zoë\n".encode("windows-1252"), "windows-1252"),
        (PEOPLE.encode("utf-16-le"), "utf-16-le"),
        ("id,name\n1,x\n2,\u00e9\u00fc\n".encode(), "utf-8"),
    ],
)
def test_g5_what_is_not_certain_is_asked_for_with_its_candidates_and_then_read(
    tmp_path: Path, content: bytes, candidate: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(TabularError) as caught:
        text_facts(path)
    assert caught.value.code == "encoding_unsure"
    assert candidate in str(caught.value.facts["candidates"]).split(", ")
    with open_table(path, encoding=candidate) as table:
        rows = ["".join(row.values.values()) for row in table]
    assert rows == ["".join(line.split(",")) for line in content.decode(candidate).split()[1:]]


def test_g5_a_named_encoding_that_does_not_read_the_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, PEOPLE.encode("gb18030"))
    with pytest.raises(TabularError) as caught:
        text_facts(path, "utf-8")
    assert (caught.value.code, caught.value.facts) == ("encoding_wrong", {"encoding": "utf-8"})
    with pytest.raises(TabularError) as caught:
        text_facts(path, "rot13")
    assert caught.value.code == "encoding_unsupported"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_e3_one_line_that_cannot_be_read_costs_its_row_alone(tmp_path: Path, encoding: str) -> None:
    lines = (PEOPLE + PEOPLE.partition("\n")[2]).encode(encoding).split(b"\n")
    lines[3] = b"A9,\xff\xff,x"
    with open_table(write(tmp_path, b"\n".join(lines))) as table:
        rows = [(row.line, row.flaw) for row in table]
    assert table.encoding == encoding
    assert [line for line, _flaw in rows] == [2, 3, 4, 5, 6, 7]
    assert [(line, str(flaw)) for line, flaw in rows if flaw] == [(4, "text_unreadable")]


def test_e3_one_nul_costs_its_row_alone(tmp_path: Path) -> None:
    text = PEOPLE.replace("李娜", "李\x00娜")
    with open_table(write(tmp_path, text.encode())) as table:
        rows = [(row.line, str(row.flaw or "")) for row in table]
    assert rows == [(2, ""), (3, "text_binary"), (4, "")]


def test_e2_a_header_of_a_million_columns_is_refused_with_how_many_are_allowed(
    tmp_path: Path,
) -> None:
    for count in (5_000, 1_000_000):
        header = ",".join(f"c{number}" for number in range(count))
        with (
            pytest.raises(TabularError) as caught,
            open_table(write(tmp_path, f"{header}\n1\n".encode())),
        ):
            pass
        assert (caught.value.code, caught.value.facts) == ("columns_too_many", {"most": 2_000})
