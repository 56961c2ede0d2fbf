"""Which records are one person."""

from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.identity.match_keys import (
    MAX_SHARED,
    Likeness,
    MatchKey,
    cluster,
    is_same_person,
)

BORN = date(1990, 5, 8)
WANG = Likeness(
    national_id="id1",
    name="wang",
    birth_date=BORN,
    phones=frozenset({"p1"}),
    emails=frozenset({"e1"}),
)
PHONE_ONLY = Likeness(phones=frozenset({"p1"}))


def like(**changes: object) -> Likeness:
    values = {name: getattr(WANG, name) for name in Likeness.__slots__} | changes
    return Likeness(**values)


@pytest.mark.parametrize("key", list(MatchKey))
def test_two_different_national_ids_are_never_one_person(key: MatchKey) -> None:
    assert not is_same_person(WANG, like(national_id="id2"), key)


@pytest.mark.parametrize("key", [MatchKey.EXTERNAL_ID, MatchKey.NATIONAL_ID])
def test_a_strong_key_decides_alone(key: MatchKey) -> None:
    stranger = Likeness(name="li", birth_date=date(1970, 1, 1))
    assert is_same_person(WANG, stranger, key)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (like(national_id=""), True),
        (like(national_id="", name="", emails=frozenset()), True),
        (like(national_id="", name="", birth_date=None), True),
        (like(national_id="", name="li"), False),
        (like(national_id="", birth_date=date(1990, 5, 9)), False),
        (like(national_id="", name="", birth_date=date(1990, 5, 9)), False),
        (PHONE_ONLY, True),
    ],
)
def test_an_equal_phone_needs_support_and_no_contradiction(other: Likeness, same: bool) -> None:
    assert is_same_person(WANG, other, MatchKey.PHONE) is same
    assert is_same_person(other, WANG, MatchKey.PHONE) is same


def test_a_phone_alone_does_not_join_a_name_with_a_birth_date() -> None:
    named = Likeness(name="wang", phones=frozenset({"p1"}))
    born = Likeness(birth_date=BORN, phones=frozenset({"p1"}))
    assert not is_same_person(named, born, MatchKey.PHONE)


def test_an_equal_address_needs_the_name() -> None:
    assert is_same_person(WANG, like(national_id="", phones=frozenset({"p2"})), MatchKey.EMAIL)
    assert not is_same_person(WANG, like(national_id="", name=""), MatchKey.EMAIL)
    assert not is_same_person(WANG, like(national_id="", name="li"), MatchKey.EMAIL)


def test_records_chain_into_one_person_led_by_the_first_line() -> None:
    records = {
        2: Likeness(name="wang", birth_date=BORN, phones=frozenset({"p1"})),
        5: WANG,
        9: like(name="", phones=frozenset(), emails=frozenset()),
    }
    groups = [(MatchKey.NATIONAL_ID, [5, 9]), (MatchKey.PHONE, [2, 5])]
    assert cluster(groups, records) == {5: 2, 9: 2}


def test_a_bridge_never_brings_two_national_ids_together() -> None:
    records = {1: WANG, 2: like(national_id=""), 3: like(national_id="id2")}
    groups = [(MatchKey.PHONE, [1, 2, 3])]
    assert cluster(groups, records) == {2: 1}


def test_rows_with_one_source_id_but_two_national_ids_stay_apart() -> None:
    records = {1: WANG, 2: like(national_id="id2"), 3: like(national_id="")}
    assert cluster([(MatchKey.EXTERNAL_ID, [1, 2, 3])], records) == {3: 2}


def test_a_value_that_too_many_share_is_no_evidence() -> None:
    lines = list(range(MAX_SHARED + 1))
    records = dict.fromkeys(lines, like(national_id=""))
    assert cluster([(MatchKey.PHONE, lines)], records) == {}
    assert len(cluster([(MatchKey.PHONE, lines[:-1])], records)) == MAX_SHARED - 1


@given(st.lists(st.sampled_from(["", "id1", "id2"]), min_size=3, max_size=3))
def test_members_order_inside_a_group_does_not_matter(ids: list[str]) -> None:
    records = {line: like(national_id=number) for line, number in enumerate(ids)}
    results = [
        cluster([(MatchKey.PHONE, list(order))], records) for order in permutations(range(3))
    ]
    assert all(result == results[0] for result in results)
    for follower, leader in results[0].items():
        assert not (ids[follower] and ids[leader] and ids[follower] != ids[leader])
