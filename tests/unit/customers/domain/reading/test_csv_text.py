"""Records of CSV text: quotation marks, limits, and that no line is ever lost."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.reading import file_limits as limits
from customers.domain.reading.csv_text import Record, accounted, read_records
from customers.domain.reading.encodings import LineCount
from customers.domain.reading.tabular import TabularError, open_table
from customers.domain.values.quality import Code
from tests.conftest import SHARED_DATA

CASES = SHARED_DATA / "cases_doors"


def records(text: str, mark: str = ",", *, is_damaged: bool = False) -> list[Record]:
    count = LineCount()
    count.add(text)
    read = read_records(io.StringIO(text, newline=""), mark, is_damaged=is_damaged)
    return list(accounted(read, line_count=count.total))


def written(rows: list[list[str]], **options: Any) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, **options).writerows(rows)
    return stream.getvalue()


PEOPLE = [["id", "name", "phone"], *([f"A{n}", f"name {n}", f"138{n:08}"] for n in range(20))]


def test_e1_an_unclosed_quote_costs_its_own_row_and_no_other() -> None:
    lines = written(PEOPLE).splitlines(keepends=True)
    lines[5] = lines[5].replace("name", '"name')
    found = records("".join(lines))
    assert len(found) == 21
    assert [(line, flaw) for line, _cells, flaw in found if flaw] == [(6, Code.QUOTE_UNCLOSED)]
    assert [cells for line, cells, _flaw in found if line != 6] == [
        row for number, row in enumerate(PEOPLE) if number != 5
    ]


def test_e1_two_unclosed_quotes_do_not_close_each_other() -> None:
    lines = written(PEOPLE).splitlines(keepends=True)
    for number in (5, 16):
        lines[number] = lines[number].replace(",138", ',"138')
    found = records("".join(lines))
    assert [(line, flaw) for line, _cells, flaw in found if flaw] == [
        (6, Code.QUOTE_UNCLOSED),
        (17, Code.QUOTE_UNCLOSED),
    ]
    assert len(found) == 21


def test_e1_lines_between_two_strays_that_may_be_a_cell_are_refused_each_by_itself() -> None:
    lines = written(PEOPLE).splitlines(keepends=True)
    lines[5] = lines[5].replace(",138", ',"138')
    lines[8] = lines[8].replace("\r\n", '"\r\n')
    found = records("".join(lines))
    assert len(found) == 21
    assert [line for line, _cells, flaw in found if flaw is Code.QUOTE_UNCLOSED] == [6, 7, 8, 9]


def test_a_stray_before_cells_that_are_quoted_is_found() -> None:
    lines = written(PEOPLE, quoting=csv.QUOTE_ALL).splitlines(keepends=True)
    lines[5] = lines[5].replace('"\r\n', "\r\n")
    found = records("".join(lines))
    assert [(line, flaw) for line, _cells, flaw in found if flaw] == [(6, Code.QUOTE_UNCLOSED)]
    assert len(found) == 21


def test_an_open_quote_in_the_header_refuses_the_file_and_names_it() -> None:
    with pytest.raises(TabularError) as caught:
        records('id,"name\nA1,x\n')
    assert (caught.value.code, caught.value.line) == ("quote_unclosed", 1)


def test_a_cell_of_several_lines_stays_whole_up_to_the_limit() -> None:
    note = "\n".join(f"line {number}" for number in range(limits.MAX_CELL_LINES))
    rows = [["id", "note"], ["A1", note], ["A2", "x"]]
    assert [cells for _line, cells, _flaw in records(written(rows))] == rows
    found = records(written([["id", "note"], ["A1", note + "\nmore\nlines"], ["A2", "x"]]))
    assert found[1][2] is Code.QUOTE_UNCLOSED
    assert found[-1] == (limits.MAX_CELL_LINES + 4, ["A2", "x"], None)


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('A1,5" pipe,x', ["A1", '5" pipe', "x"]),
        ('A1,"5" pipe",x', ["A1", '5" pipe', "x"]),
        ('A1,"5"" pipe",x', ["A1", '5" pipe', "x"]),
        ('A1,"Johnny" Smith,x', ["A1", '"Johnny" Smith', "x"]),
        ('A1,John "J" Smith,x', ["A1", 'John "J" Smith', "x"]),
        ('A1,"a, b",x', ["A1", "a, b", "x"]),
        ('"A1" ,"b" ,x', ["A1", "b", "x"]),
        ('A1,"",x', ["A1", "", "x"]),
        ('A1,"say ""hi""",x', ["A1", 'say "hi"', "x"]),
    ],
)
def test_a_quote_inside_a_cell_is_read_as_most_exporters_mean_it(
    line: str, cells: list[str]
) -> None:
    assert records(f"id,name,city\n{line}\n")[1] == (2, cells, None)


def test_e2_many_open_quotes_are_no_work_without_end() -> None:
    text = "id,name\n" + 'A,"x\n' * 2_000
    with pytest.raises(TabularError) as caught:
        records(text)
    assert (caught.value.code, caught.value.facts) == ("quotes_unclosed", {"most": 1_000})


def test_e2_a_line_of_nicknames_is_no_work_without_end() -> None:
    # By the square of its cells this line would take hours.
    (_header, found) = records("a,b\n" + '"Johnny" S,' * 80_000 + "\n")
    assert len(found[1]) > 2


def test_e3_a_cell_or_a_line_that_is_too_long_refuses_its_row_alone() -> None:
    text = f'id,name\nA1,{"x" * 131_073}\nA2,{"y" * 1_100_000}\nA3,"{"z" * 140_000}"\nA4,ok\n'
    found = [(line, flaw) for line, _cells, flaw in records(text)]
    assert found[1:] == [
        (2, Code.CELL_TOO_LONG),
        (3, Code.ROW_TOO_LONG),
        (4, Code.CELL_TOO_LONG),
        (5, None),
    ]


def test_e3_a_nul_and_an_unreadable_line_refuse_their_rows_alone() -> None:
    found = records("id,name\nA1,a\x00b\nA2,\ufffd\nA3,ok\n", is_damaged=True)
    assert [flaw for _line, _cells, flaw in found] == [
        *(None, Code.TEXT_BINARY, Code.TEXT_UNREADABLE, None),
    ]


@pytest.mark.parametrize("name", ["one_quote.csv", "quotes.csv"])
def test_e1_the_cases_of_quotes_lose_nobody(name: str) -> None:
    if not (CASES / name).is_file():
        pytest.skip("the cases are not here")
    with open_table(CASES / name) as table:
        rows = list(table)
    refused = [row.line for row in rows if row.flaw]
    assert len(rows) == 20
    assert refused in ([6], [6, 17])


# Texts as people keep them: quotes, separators and breaks, but no line that is a record by itself.
LINE = st.text(st.sampled_from('ab "€李'), max_size=6)
CELL = st.one_of(
    st.text(st.sampled_from('ab",;| €李'), max_size=8),
    st.lists(LINE, min_size=2, max_size=4).map("\n".join),
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 5))
    header = [f"c{number}" for number in range(width)]
    rows = st.lists(CELL, min_size=width, max_size=width)
    return [header, *draw(st.lists(rows, min_size=1, max_size=8))]


@given(
    rows=tables(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\r\n", "\n"]),
    mark=st.sampled_from([",", ";", "\t"]),
)
def test_e1_whatever_a_csv_writer_writes_is_read_back_whole(
    rows: list[list[str]], quoting: Any, end: str, mark: str
) -> None:
    text = written(rows, quoting=quoting, lineterminator=end, delimiter=mark)
    found = records(text, mark)
    assert [line for line, cells, _flaw in found if "\n" in "".join(cells)] == [
        line for line, _cells, flaw in found if flaw is Code.LINES_JOINED
    ]
    if any(flaw is Code.QUOTE_UNCLOSED for _line, _cells, flaw in found):
        # Only where the lines of a cell may be records of their own: then all of them are named.
        assert lines_of(found) == set(range(1, len(text.split("\n"))))
        assert all(
            flaw in {None, Code.QUOTE_UNCLOSED, Code.LINES_JOINED} for _line, _cells, flaw in found
        )
        return
    assert [cells for _line, cells, _flaw in found] == rows


def test_e1_a_mark_inside_a_bare_cell_shows_that_the_open_one_was_a_stray() -> None:
    found = records('a,b,c\n",,","\n,,",a"\n,,\n')
    assert lines_of(found) == {1, 2, 3, 4}
    assert [(line, flaw is None) for line, _cells, flaw in found] == [
        (1, True),
        (2, False),
        (3, True),
        (4, True),
    ]


def test_e1_two_strays_that_close_each_other_by_every_rule_join_no_lines() -> None:
    found = records('id,name,phone\n"A1,Li,138\nA2,""Wang, Min",139\nA3,Zhao,137\n')
    assert [(line, flaw) for line, _cells, flaw in found] == [
        *((1, None), (2, Code.QUOTE_UNCLOSED), (3, Code.QUOTE_UNCLOSED), (4, None)),
    ]


def test_e1_two_strays_from_the_header_on_refuse_the_file() -> None:
    with pytest.raises(TabularError) as caught:
        records('id,"name\nA1,Li"\nA2,Wang\n')
    assert (caught.value.code, caught.value.line) == ("quote_unclosed", 1)


def test_e1_a_note_of_several_lines_is_kept_and_named() -> None:
    text = 'id,note,city,phone\nA1,"called, no one\r\n\r\nagain, Monday",x,138\nA2,y,x,139\n'
    assert records(text)[1:] == [
        (2, ["A1", "called, no one\r\n\r\nagain, Monday", "x", "138"], Code.LINES_JOINED),
        (5, ["A2", "y", "x", "139"], None),
    ]


@pytest.mark.parametrize("count", [3, 5])
def test_e1_a_file_whose_lines_do_not_add_up_is_refused(count: int) -> None:
    read = read_records(io.StringIO("id\nA1\n\nA2\n"), ",", is_damaged=False)
    with pytest.raises(TabularError) as caught:
        list(accounted(read, line_count=count))
    assert (caught.value.code, caught.value.facts) == (
        "lines_unaccounted",
        {"lines": count, "read": 4},
    )


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("extra", range(-3, 4))
def test_e1_a_line_about_the_limit_is_one_line_however_it_ends(end: str, extra: int) -> None:
    text = end.join(["id,name", "A1," + "x" * (limits.MAX_LINE_CHARS - 3 + extra), "A2,y", ""])
    found = records(text)
    assert found[0] == (1, ["id", "name"], None)
    assert (found[1][0], found[1][2] is not None) == (2, True)
    assert found[2:] == [(3, ["A2", "y"], None)]


def lines_of(found: list[Record]) -> set[int]:
    """Return the lines that the records stand on; a record goes on to the next one's line."""
    return {
        line + more
        for line, cells, _flaw in found
        for more in range("".join(cells).count("\n") + 1)
    }


@given(
    rows=st.lists(
        st.lists(st.text(st.sampled_from('ab", €李'), max_size=6), min_size=3, max_size=3),
        min_size=4,
        max_size=10,
    ),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    data=st.data(),
)
def test_e1_random_damage_of_quotes_never_loses_a_line_in_silence(
    rows: list[list[str]], quoting: Any, data: st.DataObject
) -> None:
    lines = written([["a", "b", "c"], *rows], quoting=quoting).splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(1, len(lines) - 1))
        line = lines[number]
        at = data.draw(st.integers(0, len(line) - 2))
        is_cut = line[at] == '"' and data.draw(st.booleans())
        lines[number] = line[:at] + ("" if is_cut else '"') + line[at + is_cut :]
    found = records("".join(lines))
    blank = {number for number, line in enumerate(lines, 1) if not line.strip()}
    assert lines_of(found) | blank == set(range(1, len(lines) + 1))
    # No record has swallowed another one, however many strays close each other.
    assert not any("\n" in "".join(cells) for _line, cells, _flaw in found)
