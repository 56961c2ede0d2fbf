"""Rows as PostgreSQL's COPY reads them; that it does is seen in test_bulk_load."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest

from loancrm.kernel.database import copy_text


class Colour(StrEnum):
    RED = "red\tone"


def lines(*rows: tuple[object, ...]) -> list[str]:
    return b"".join(copy_text.blocks(rows, lambda _count: None)).decode().split("\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\\N"),
        ("", ""),
        ("\\N", "\\\\N"),
        ("a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e"),
        ("a\tb", "a\\tb"),
        ("a\nb", "a\\nb"),
        ("a\rb", "a\\rb"),
        ("a\\b", "a\\\\b"),
        ("西安", "西安"),
        (Colour.RED, "red\\tone"),
        (True, "t"),
        (-7, "-7"),
        (1.5, "1.5"),
        (Decimal("1.500000"), "1.500000"),
        (b"\x00\xff", "\\\\x00ff"),
        (memoryview(b"\x01"), "\\\\x01"),
        (date(2026, 3, 4), "2026-03-04"),
        (datetime(2026, 3, 4, 2, 0, tzinfo=UTC), "2026-03-04T02:00:00+00:00"),
        (UUID(int=1), "00000000000000000000000000000001"),
    ],
)
def test_values_are_written_in_the_form_of_copy(value: object, text: str) -> None:
    assert lines((1, value, 2)) == [f"1\t{text}\t2", ""]


def test_blocks_are_counted() -> None:
    counts: list[int] = []
    blocks = list(copy_text.blocks(((n,) for n in range(1_234)), counts.append))
    assert (counts, len(blocks)) == ([500, 500, 234], 3)
    assert b"".join(blocks).split() == [str(n).encode() for n in range(1_234)]


def test_a_type_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="dict"):
        lines(({},))
