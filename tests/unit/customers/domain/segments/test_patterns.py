import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.domain.segments.patterns import (
    Pattern,
    PatternInvalid,
    PatternTooLarge,
)
from tests.integration.customers.segment_rules import patterns


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("海", ["上海", "海"], ["上", "北京"]),
        ("^上", ["上海"], ["海上"]),
        ("海$", ["上海"], ["海上"]),
        ("^(上海|北京)$", ["上海", "北京"], ["上海市", "x北京"]),
        ("^[a-z]+[0-9]{2,3}$", ["ab12", "z123"], ["ab1", "Ab12", "ab1234"]),
        ("^\\d{4}-\\d\\d$", ["2026-01"], ["2026-1", "２０２６-01"]),
        ("a.c", ["abc", "a\nc", "xa上cx"], ["ac"]),
        ("^a{2,}$", ["aa", "aaaa"], ["a", "aab"]),
        ("^a?b$", ["b", "ab"], ["aab"]),
        ("[^0-9]", ["1a"], ["123"]),
        ("a\\.b", ["a.b"], ["axb"]),
        ("[a\\-z]", ["-", "a"], ["m"]),
        ("x$y", [], ["x$y", "xy"]),
        ("a^b", [], ["a^b", "ab"]),
    ],
)
def test_c1_a_pattern_means_what_postgresql_makes_of_it(pattern, yes, no):
    found = Pattern(pattern)
    assert [text for text in yes if not found.is_in(text)] == []
    assert [text for text in no if found.is_in(text)] == []


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("", 0),
        ("(a", 2),
        ("a)", 2),
        ("a**", 3),
        ("a+?", 3),
        ("(a)\\1", 5),
        ("(?i)a", 2),
        ("(?=a)", 2),
        ("[z-a]", 5),
        ("[a", 2),
        ("a{3", 3),
        ("a{3,2}", 6),
        ("a{0}", 4),
        ("{2}", 1),
        ("a|", 2),
        ("^*", 2),
        ("\\", 1),
        ("\\b", 2),
        ("[[:alpha:]]", 2),
        ("***:a", 1),
        ("[]x]", 2),
    ],
)
def test_c1_what_is_outside_the_subset_is_refused_with_its_place(pattern, position):
    with pytest.raises(PatternInvalid) as refused:
        Pattern(pattern)
    assert refused.value.position == position


@pytest.mark.parametrize(
    "pattern", ["x" * 101, "a{51}", "(a{50}){5}", "(" * 30 + "a" + ")" * 30, "(a{20}){1,20}"]
)
def test_c1_a_pattern_that_repeats_too_much_is_refused(pattern):
    with pytest.raises(PatternTooLarge):
        Pattern(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+(a+)+(a+)+b", "(a|aa)*(a|aa)*b", "(a|b)*a(a|b){20}c"])
def test_c1_no_text_makes_a_pattern_slow(pattern):
    # Backtracking would take longer than the world has; the test's own time limit would end it.
    assert not Pattern(pattern).is_in("a" * 20_000 + "x")


@settings(max_examples=300, deadline=None)
@given(patterns, st.lists(st.text("aBb上海é%_.carsh9 \n", max_size=7), max_size=8))
def test_c1_the_matcher_agrees_with_python_on_small_texts(pattern, texts):
    found = Pattern(pattern)
    python = re.compile(pattern.replace("$", "\\Z"), re.DOTALL | re.ASCII)
    assert [found.is_in(text) for text in texts] == [bool(python.search(t)) for t in texts]
    canonical = re.compile(found.canonical.replace("$", "\\Z"), re.DOTALL)
    assert [found.is_in(text) for text in texts] == [bool(canonical.search(t)) for t in texts]
    assert Pattern(found.canonical.replace("(?:", "(")).is_in("x") == found.is_in("x")
