"""Likeness of texts, against published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.linkage.similarity import edits, jaro_winkler


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # Winkler (1990), table of examples.
        ("martha", "marhta", 0.961),
        ("dwayne", "duane", 0.840),
        ("dixon", "dicksonx", 0.813),
        ("", "a", 0.0),
        ("abc", "xyz", 0.0),
    ],
)
def test_jaro_winkler_gives_the_published_values(one: str, other: str, expected: float) -> None:
    assert jaro_winkler(one, other) == pytest.approx(expected, abs=0.0006)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("kitten", "sitting", 3), ("ab", "ba", 1), ("", "abc", 3), ("ca", "abc", 3), ("a", "a", 0)],
)
def test_a_swap_of_neighbours_is_one_edit(one: str, other: str, expected: int) -> None:
    assert edits(one, other) == expected


@given(st.text(max_size=8), st.text(max_size=8))
def test_likeness_does_not_depend_on_the_order(one: str, other: str) -> None:
    assert edits(one, other) == edits(other, one)
    assert 0 <= jaro_winkler(one, other) <= 1.0000001
    assert abs(len(one) - len(other)) <= edits(one, other) <= max(len(one), len(other))
