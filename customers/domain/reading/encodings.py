"""The encoding of a text file: told from its bytes where they leave no doubt, else asked for.

A wrong guess turns every name into another one without any error, so a guess is never made in
silence: either only one encoding makes sense of the file, or its candidates are named.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from customers.domain.reading import file_limits as limits
from customers.domain.reading.tables import TabularError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# What a person may choose: Python's names.
ENCODINGS: Final = (
    *("utf-8", "gb18030", "big5hkscs", "windows-1252", "windows-1250", "utf-16"),
    *("utf-16-le", "utf-16-be", "shift_jis", "euc_kr"),
)
_CANDIDATES: Final = ("utf-8", "gb18030", "big5hkscs", "windows-1252")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK_BYTES: Final = 1 << 20
_SAMPLE_CHARS: Final = 4_000
# Share of Chinese text's characters that GB 2312 holds; misread Big5 has about half.
_CHINESE_SHARE: Final = 0.9
# Fewer characters than this may look Chinese by chance.
_TELLING_CHARS: Final = 10
_FEW_CHARS: Final = 4
_FOUR_BYTES: Final = 4
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
# Three bytes and more in UTF-8: their pattern does not come about by chance.
_WIDE: Final = re.compile(r"[\u0800-\U0010ffff]")
_LATIN_BESIDE: Final = re.compile(r"[A-Za-z][\u4e00-\u9fff]|[\u4e00-\u9fff][A-Za-z]")


@dataclass(slots=True)
class LineCount:
    """Counts the lines of a text that comes in pieces; each ends with LF, CR LF or CR."""

    _ends: int = 0
    _last: str = ""

    def add(self, text: str) -> None:
        """Count the lines that end in a piece."""
        if not text:
            return
        self._ends += line_breaks(text)
        # The two marks of one end may stand in two pieces.
        self._ends -= self._last == "\r" and text[0] == "\n"
        self._last = text[-1]

    @property
    def total(self) -> int:
        """Return the number of lines so far, one that does not end included."""
        return self._ends + (self._last not in {"", "\n", "\r"})


def line_breaks(text: str) -> int:
    """Return how many ends of lines a text holds."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


class TextFacts(NamedTuple):
    """What reading a text file once from end to end has told.

    Attributes:
        line_count: Its lines, blank ones included, counted without regard to what they say.
        unreadable: Lines that the encoding cannot read, or that hold NUL characters.
    """

    encoding: str
    line_count: int
    unreadable: int = 0


def text_facts(path: Path, encoding: str | None = None) -> TextFacts:
    """Return the encoding of a text file and its number of lines, reading all of it.

    Args:
        encoding: What a person says it is; then only that is tried.

    Raises:
        TabularError: `encoding_unsure` with the candidates, `encoding_wrong` where the named one
            does not read the file, `not_a_table` for binary content, `file_too_large`.
    """
    if encoding is not None and encoding not in {*ENCODINGS, "utf-8-sig"}:
        raise TabularError("encoding_unsupported", encodings=", ".join(ENCODINGS))
    with open_bytes(path) as stream:
        head = stream.read(4_096)
    if encoding is None:
        encoding = next((name for bom, name in _BOMS if head.startswith(bom)), None)
        _refuse_bare_utf16(head, encoding)
    if encoding is not None:
        return _named(path, encoding)
    utf8 = _strict(path, "utf-8")
    if utf8 is not None and (utf8.is_wide or not utf8.sample or not _is_chinese_too(path, utf8)):
        return TextFacts("utf-8", utf8.lines, utf8.nul_lines)
    if utf8 is None:
        chinese = _strict(path, "gb18030")
        if chinese is not None and _is_chinese(chinese.sample, _readers(path)):
            return TextFacts("gb18030", chinese.lines, chinese.nul_lines)
        if chinese is None:
            return _damaged(path)
    raise _unsure(_readers(path))


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacked when it is gzip.

    Raises:
        TabularError: `file_damaged` for a broken archive.
    """
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not zipped:
            yield raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield io.BufferedReader(unpacked)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise TabularError("file_damaged") from error


class _Read(NamedTuple):
    """A whole file in one encoding; `sample` are some of its characters beyond ASCII."""

    lines: int
    nul_lines: int
    is_wide: bool
    sample: str


def _strict(path: Path, encoding: str) -> _Read | None:
    """Return what a whole file says in an encoding; None where some byte of it does not fit."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines, nul_lines = LineCount(), 0
    is_wide, sample = False, ""
    with open_bytes(path) as stream:
        for chunk in _chunks(stream):
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                return None
            lines.add(text)
            if "\x00" in text:
                nul_lines += _nul_lines(text)
            if not text.isascii():
                is_wide = is_wide or _WIDE.search(text) is not None
                sample += _beyond_ascii(text, _SAMPLE_CHARS - len(sample))
    _refuse_binary(nul_lines, lines.total)
    return _Read(lines.total, nul_lines, is_wide, sample)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's bytes piece by piece, the last piece empty."""
    size = 0
    while True:
        chunk = stream.read(_CHUNK_BYTES)
        size += len(chunk)
        if size > limits.MAX_UNPACKED_BYTES:
            raise TabularError("file_too_large", most=limits.MAX_UNPACKED_BYTES)
        yield chunk
        if not chunk:
            return


def _nul_lines(text: str) -> int:
    return sum("\x00" in line for line in text.split("\n"))


def _beyond_ascii(text: str, most: int) -> str:
    found = ""
    for run in _BEYOND_ASCII.finditer(text):
        if len(found) >= most:
            break
        found += run[0]
    return found[: max(most, 0)]


def _refuse_binary(nul_lines: int, lines: int) -> None:
    if nul_lines and not _is_bearable(nul_lines, lines):
        raise TabularError("not_a_table")


def _is_bearable(count: int, lines: int) -> bool:
    """Return whether a file of so many lines may have so many that cannot be read."""
    most = max(limits.FEW_UNREADABLE, lines * limits.MAX_UNREADABLE_SHARE)
    return count <= most and count * 2 < lines


def _refuse_bare_utf16(head: bytes, encoding: str | None) -> None:
    """Ask where every second byte is NUL: UTF-16 without the mark that says in which order."""
    if encoding is not None or len(head) < _TELLING_CHARS:
        return
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = head[start::2]
        if half.count(0) * 3 > len(half) and not head[1 - start :: 2].count(0):
            raise TabularError("encoding_unsure", candidates=name)


def _is_chinese_too(path: Path, utf8: _Read) -> bool:
    """Return whether what reads as a few accented letters also reads as Chinese in GB 18030."""
    if len(utf8.sample) >= _TELLING_CHARS:
        return False
    chinese = _strict(path, "gb18030")
    if chinese is None or not _looks_chinese(chinese.sample):
        return False
    # A Chinese character in the middle of a Latin word is an accented letter read wrongly.
    with open_bytes(path) as stream:
        text = stream.read(_CHUNK_BYTES).decode("gb18030", "replace")
    return _LATIN_BESIDE.search(text) is None


def _is_chinese(sample: str, readers: Sequence[str]) -> bool:
    """Return whether there is no doubt that a text that GB 18030 reads is Chinese."""
    if list(readers) == ["gb18030"]:
        return len(sample) >= _FEW_CHARS
    if not _looks_chinese(sample):
        return False
    least = _TELLING_CHARS if "big5hkscs" in readers else _FEW_CHARS
    return len(sample) >= least


def _looks_chinese(sample: str) -> bool:
    return sum(map(_is_common, sample)) >= _CHINESE_SHARE * len(sample)


@lru_cache(10_000)
def _is_common(mark: str) -> bool:
    """Return whether GB 2312 holds a character, or only GB 18030's four bytes can write it."""
    try:
        mark.encode("gb2312")
    except UnicodeEncodeError:
        # Four bytes of a fixed shape: no other encoding produces them by chance.
        return len(mark.encode("gb18030")) == _FOUR_BYTES and mark.isalpha()
    return True


def _readers(path: Path) -> list[str]:
    """Return the candidates that read the whole file."""
    return [name for name in _CANDIDATES if _strict(path, name) is not None]


def _unsure(candidates: Sequence[str]) -> TabularError:
    return TabularError("encoding_unsure", candidates=", ".join(candidates or ENCODINGS))


def _named(path: Path, encoding: str) -> TextFacts:
    """Return the facts of a file whose encoding a person or the file itself names."""
    found = _strict(path, encoding)
    if found is not None:
        return TextFacts(encoding, found.lines, found.nul_lines)
    if encoding.startswith("utf-16"):
        raise TabularError("encoding_wrong", encoding=encoding)
    lines, bad = _line_by_line(path, (encoding,))
    (wrong,) = bad
    if wrong.first == 1 or not _is_bearable(wrong.count, lines):
        raise TabularError("encoding_wrong", line=wrong.first, encoding=encoding)
    return TextFacts(encoding, lines, wrong.count)


@dataclass(slots=True)
class _Wrong:
    """Lines that an encoding does not read, and some characters of those that it does."""

    count: int = 0
    first: int = 0
    sample: str = ""

    def note(self, line: int, raw: bytes, encoding: str) -> None:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            self.count += 1
            self.first = self.first or line
            return
        if len(self.sample) < _SAMPLE_CHARS:
            self.sample += _beyond_ascii(text, _SAMPLE_CHARS)


def _line_by_line(path: Path, encodings: Sequence[str]) -> tuple[int, list[_Wrong]]:
    """Return the number of lines, and for each encoding what it does not read."""
    wrong = [_Wrong() for _ in encodings]
    line = nul_lines = 0
    lines = LineCount()
    with open_bytes(path) as stream:
        while raw := stream.readline(limits.MAX_LINE_CHARS):
            line += 1
            lines.add(raw.decode("latin-1"))
            nul_lines += b"\x00" in raw
            if not raw.isascii():
                for found, encoding in zip(wrong, encodings, strict=True):
                    found.note(line, raw, encoding)
    _refuse_binary(nul_lines, lines.total)
    return lines.total, wrong


def _damaged(path: Path) -> TextFacts:
    """Return the facts of a file that neither UTF-8 nor GB 18030 reads whole.

    A few lines that cannot be read are refused one by one; where they are many, or another encoding
    reads them all and nothing speaks for UTF-8, somebody must say what the file is.
    """
    names = ("utf-8", "gb18030")
    lines, (utf8, chinese) = _line_by_line(path, names)
    if utf8.first == 1 or not _is_bearable(utf8.count, lines):
        is_telling = len(chinese.sample) >= _TELLING_CHARS and _looks_chinese(chinese.sample)
        if is_telling and chinese.first != 1 and _is_bearable(chinese.count, lines):
            return TextFacts("gb18030", lines, chinese.count)
        raise _unsure(_readers(path))
    return TextFacts("utf-8", lines, utf8.count)
