"""Records of CSV text: quotation marks, limits, and that no line is ever lost."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain import file_limits as limits
from customers.domain.quality import Code
from customers.domain.reading.csv_text import Record, read_records
from customers.domain.tabular import TabularError, open_table
from tests.conftest import SHARED_DATA

CASES = SHARED_DATA / "cases_doors"


def records(text: str, mark: str = ",", *, is_damaged: bool = False) -> list[Record]:
    return list(read_records(io.StringIO(text, newline=""), mark, is_damaged=is_damaged))


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
    if any(flaw for _line, _cells, flaw in found):
        # Only where the lines of a cell are records of their own: then all of them are named.
        assert accounted(found) == set(range(1, len(text.split("\n"))))
        assert all(flaw in {None, Code.QUOTE_UNCLOSED} for _line, _cells, flaw in found)
        return
    assert [cells for _line, cells, _flaw in found] == rows


def test_e1_a_mark_inside_a_bare_cell_shows_that_the_open_one_was_a_stray() -> None:
    found = records('a,b,c\n",,","\n,,",a"\n,,\n')
    assert accounted(found) == {1, 2, 3, 4}
    assert [(line, flaw is None) for line, _cells, flaw in found] == [
        (1, True),
        (2, False),
        (3, True),
        (4, True),
    ]


def accounted(found: list[Record]) -> set[int]:
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
    count = data.draw(st.integers(1, 3))
    for _ in range(count):
        number = data.draw(st.integers(1, len(lines) - 1))
        line = lines[number]
        at = data.draw(st.integers(0, len(line) - 2))
        is_cut = line[at] == '"' and data.draw(st.booleans())
        lines[number] = line[:at] + ("" if is_cut else '"') + line[at + is_cut :]
    found = records("".join(lines))
    blank = {number for number, line in enumerate(lines, 1) if not line.strip()}
    assert accounted(found) | blank == set(range(1, len(lines) + 1))
    # No record has swallowed another one. Two strays may close each other so that what stands
    # between them is a cell of several lines by every rule; one alone never does.
    assert count > 1 or not any(
        "\n" in "".join(cells) for _line, cells, flaw in found if flaw is None
    )
