"""Records of CSV text with their line numbers; no line is lost to a quotation mark.

A quotation mark that is never closed makes the rest of a file one cell to any reader that follows
RFC 4180 blindly. Here a cell may run over several lines only where its closing mark stands where a
cell ends, the record has as many cells as the header, and at most one of its lines has separators
enough for a record of its own: two stray marks that close each other always join at least two such
lines. Where the lines may be either, all of them are refused; otherwise the line where the mark
opened is refused and the lines after it are read by themselves. A record of several lines is named
as one, and at the end of a file its lines must add up.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Final

from customers.domain.reading import file_limits as limits
from customers.domain.reading.encodings import line_breaks
from customers.domain.reading.tables import TabularError
from customers.domain.values.quality import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

Record = tuple[int, list[str], Code | None]
_QUOTE: Final = '"'
_ENDS: Final = "\r\n"
# A line of a cell is never longer than the line it stands in.
csv.field_size_limit(2 * limits.MAX_LINE_CHARS)


def read_records(stream: IO[str], mark: str, *, is_damaged: bool) -> Iterator[Record]:
    """Yield (line, cells, what is to be said of the record) for every record and blank line.

    `LINES_JOINED` says that a record stands on several lines; all else refuses it.

    Args:
        mark: What separates the cells.
        is_damaged: Some lines hold NUL characters or bytes that the encoding could not read, which
            stand as U+FFFD in the text.

    Raises:
        TabularError: `quote_unclosed` where the header has an open quotation mark,
            `quotes_unclosed` where more rows have one than a CSV file can have by mistake.
    """
    lines = _Lines(stream)
    reader = _Quoted(lines, mark)
    for line, text in lines:
        if len(text) > limits.MAX_LINE_CHARS:
            yield line, text[: limits.KEPT_CHARS].split(mark), Code.ROW_TOO_LONG
        elif is_damaged and (flaw := _damage(text)):
            yield line, text.rstrip(_ENDS).split(mark), flaw
        elif _QUOTE in text:
            yield from _checked(reader.records(line, text))
        else:
            bare = text.rstrip(_ENDS)
            cells = bare.split(mark)
            if bare:
                reader.width = reader.width or len(cells)
            too_long = len(bare) > limits.MAX_CELL_CHARS and _is_too_long(cells)
            yield line, cells, Code.CELL_TOO_LONG if too_long else None


def accounted(records: Iterator[Record], *, line_count: int) -> Iterator[Record]:
    """Yield records that have a text, and hold their lines against those counted in the file.

    Raises:
        TabularError: `lines_unaccounted` at the end, where lines have gone astray or come twice.
    """
    read = 0
    for record in records:
        _line, cells, flaw = record
        read += 1
        if flaw is Code.LINES_JOINED or flaw is Code.CELL_TOO_LONG:
            read += sum(map(line_breaks, cells))
        if flaw is not None or cells != [""]:
            yield record
    if read != line_count:
        raise TabularError("lines_unaccounted", lines=line_count, read=read)


def _checked(records: Iterator[Record]) -> Iterator[Record]:
    for line, cells, flaw in records:
        is_kept = flaw is None or flaw is Code.LINES_JOINED
        yield line, cells, Code.CELL_TOO_LONG if is_kept and _is_too_long(cells) else flaw


def _is_too_long(cells: list[str]) -> bool:
    return max(map(len, cells), default=0) > limits.MAX_CELL_CHARS


def _damage(text: str) -> Code | None:
    if "\x00" in text:
        return Code.TEXT_BINARY
    return Code.TEXT_UNREADABLE if "\ufffd" in text else None


class _Lines:
    """The physical lines of a text with their numbers; lines that were taken can be given back."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._number = 0
        self._ahead = ""
        self._returned: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while (item := self.take()) is not None:
            yield item

    def take(self) -> tuple[int, str] | None:
        """Return the next line; of one that is too long, its beginning only."""
        if self._returned:
            return self._returned.popleft()
        text = rest = self._piece()
        if not text:
            return None
        self._number += 1
        while len(rest) > limits.MAX_LINE_CHARS and not rest.endswith(("\n", "\r")):
            rest = self._piece()
        if len(rest) > limits.MAX_LINE_CHARS and rest.endswith("\r"):
            # The end of the line may have been cut in two.
            following = self._piece()
            self._ahead = "" if following == "\n" else following
        return self._number, text

    def _piece(self) -> str:
        piece, self._ahead = self._ahead, ""
        return piece or self._stream.readline(limits.MAX_LINE_CHARS + 1)

    def give_back(self, items: list[tuple[int, str]]) -> None:
        """Put lines back in front of those not yet taken."""
        self._returned.extendleft(reversed(items))


class _Quoted:
    """Reads records with quotation marks.

    Attributes:
        width: Number of the header's cells; 0 before it was read.
    """

    def __init__(self, lines: _Lines, mark: str) -> None:
        self._lines, self._mark = lines, mark
        self._open_count = 0
        self.width = 0

    def records(self, line: int, text: str) -> Iterator[Record]:
        """Yield the record that begins with a line, or the refused ones it is thought to be."""
        cells, is_open = _strict_cells(text, self._mark)
        if cells is None and not is_open:
            cells = _lenient_cells(text.rstrip(_ENDS), self._mark, self.width)
        if cells is not None:
            self.width = self.width or len(cells)
            yield line, cells, None
            return
        later = self._rest_of_cell(text) if is_open else []
        joined = "".join([text, *(more for _line, more in later)])
        cells = _strict_cells(joined, self._mark)[0] if later else None
        if cells is not None and not self._is_record(cells, joined):
            cells = None
        lines = [text, *(more for _line, more in later)]
        if cells is not None and not self._are_records(lines, self.width or len(cells)):
            self.width = self.width or len(cells)
            yield line, cells, Code.LINES_JOINED
            return
        yield self._refused(line, text)
        if cells is not None:
            # Either reading may be the right one: neither is stored, and nothing is lost.
            for number, more in later:
                yield self._refused(number, more)
        else:
            self._lines.give_back(later)

    def _rest_of_cell(self, text: str) -> list[tuple[int, str]]:
        """Return the lines after an open quotation mark up to the record's end; given back if none.

        Every other mark before the closing one is doubled by whoever writes CSV: a single one that
        closes nothing shows that the open one was a stray.
        """
        taken: list[tuple[int, str]] = []
        size = len(text)
        while len(taken) < limits.MAX_CELL_LINES and (item := self._lines.take()) is not None:
            taken.append(item)
            size += len(item[1])
            if size > limits.MAX_LINE_CHARS:
                break
            end = _closing(item[1])
            if end is None:
                continue
            rest = item[1][end + 1 :]
            if not rest.startswith((self._mark, *_ENDS)) and rest:
                break
            cells, is_open = _strict_cells(_QUOTE * 2 + rest, self._mark)
            if cells is not None:
                return taken
            if not is_open:
                break
        self._lines.give_back(taken)
        return []

    def _is_record(self, cells: list[str], text: str) -> bool:
        # Python's reader takes a mark inside a bare cell; here it shows that the open one was a
        # stray and that the cell of several lines is none.
        is_strict = _strict_record(self._mark).fullmatch(text.rstrip(_ENDS)) is not None
        return is_strict and len(cells) == (self.width or len(cells))

    def _are_records(self, lines: list[str], width: int) -> bool:
        """Return whether more than one of some lines may be a record of its own.

        Stray marks change no separators: a line that was a record has at least as many as the
        header. Of the lines of one true record only that which holds all the other cells has.
        """
        return sum(text.count(self._mark) >= width - 1 for text in lines) > 1

    def _refused(self, line: int, text: str) -> Record:
        if not self.width:
            raise TabularError("quote_unclosed", line=line)
        self._open_count += 1
        if self._open_count > limits.MAX_OPEN_QUOTES:
            raise TabularError("quotes_unclosed", line=line, most=limits.MAX_OPEN_QUOTES)
        return line, _loose_cells(text, self._mark), Code.QUOTE_UNCLOSED


@lru_cache(16)
def _dialect(mark: str) -> type[csv.Dialect]:
    return type("Strict", (csv.excel,), {"delimiter": mark, "strict": True})


def _strict_cells(text: str, mark: str) -> tuple[list[str] | None, bool]:
    """Return the cells of a text that follows RFC 4180, and whether it ends inside a cell."""
    try:
        return next(csv.reader((text,), _dialect(mark)), []), False
    except csv.Error as error:
        return None, "unexpected end of data" in str(error)


def _closing(text: str) -> int | None:
    """Return where the first mark that is not doubled stands in a text inside a quoted cell."""
    at = text.find(_QUOTE)
    while at >= 0:
        if text[at + 1 : at + 2] != _QUOTE:
            return at
        at = text.find(_QUOTE, at + 2)
    return None


@lru_cache(16)
def _strict_record(mark: str) -> re.Pattern[str]:
    """Return what a record is by RFC 4180: cells are quoted whole or hold no mark at all."""
    cell = rf'(?:"(?:[^"]|"")*+"|[^"{re.escape(mark)}\r\n]*+)'
    return re.compile(rf"{cell}(?:{re.escape(mark)}{cell})*+")


@lru_cache(16)
def _cell_end(mark: str) -> re.Pattern[str]:
    # Two marks are one inside a cell, or an undoubled one before the mark that closes the cell.
    return re.compile(rf'"(?= *(?:{re.escape(mark)}|$))')


def _lenient_cells(text: str, mark: str, width: int) -> list[str] | None:
    """Return the cells of a line whose quotation marks do not follow RFC 4180, as it is meant.

    A mark inside a cell is part of it: `5" pipe`, `"5" pipe"`, `"Johnny" Smith`. None where a cell
    opens and never closes, or no reading gives as many cells as the header has.
    """
    found = _meant_cells(text, mark)
    if found is not None and len(found) == (width or len(found)):
        return found
    plain = text.split(mark)
    if len(plain) == width and not any(cell.count(_QUOTE) % 2 for cell in plain):
        return [_unquoted(cell) for cell in plain]
    return None


def _meant_cells(text: str, mark: str) -> list[str] | None:
    cells: list[str] = []
    start = 0
    # Looked for once each: without the memory a line of `"Johnny" Smith,` costs its square.
    ends = _cell_end(mark).finditer(text)
    closed = next(ends, None)
    while True:
        if text.startswith(_QUOTE, start):
            while closed is not None and closed.start() <= start:
                closed = next(ends, None)
            end = text.find(mark, start)
            plain = text[start : end if end >= 0 else len(text)]
            if closed is None and plain.count(_QUOTE) % 2:
                return None
            if closed is not None and not (
                plain.count(_QUOTE) % 2 == 0 and plain.rstrip()[-1] != _QUOTE
            ):
                cells.append(text[start + 1 : closed.start()].replace(_QUOTE * 2, _QUOTE))
                end = text.find(mark, closed.end())
            else:
                cells.append(plain)
        else:
            end = text.find(mark, start)
            cells.append(text[start : end if end >= 0 else len(text)])
        if end < 0:
            return cells
        start = end + len(mark)


def _unquoted(cell: str) -> str:
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] == _QUOTE:
        return text[1:-1].replace(_QUOTE * 2, _QUOTE)
    return cell


def _loose_cells(text: str, mark: str) -> list[str]:
    """Return the cells of one line read by itself, open quotation marks as part of the text."""
    cells, _is_open = _strict_cells(text, mark)
    bare = text.rstrip(_ENDS)
    return cells or _meant_cells(bare, mark) or bare.split(mark)
