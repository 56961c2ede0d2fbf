from math import hypot

from hypothesis import given
from hypothesis import strategies as st

from customers.domain.relationships import (
    MOST_SECOND,
    Link,
    joined,
    neighbourhood,
    neighbours,
    normal_form,
    places,
)

people = st.integers(1, 30)


@given(st.text())
def test_s5_the_normal_form_of_a_normal_form_is_itself(text):
    once = normal_form(text)

    assert normal_form(once) == once


def test_width_case_and_blanks_make_no_difference():
    assert normal_form("  ＡＣＭＥ\u3000Ltd  No.５ ") == normal_form("acme ltd no.5")


def test_several_ties_between_two_people_are_one_link():
    found = joined([(1, 2, "phone"), (2, 1, "device"), (1, 2, "phone"), (3, 3, "phone")])

    assert found == [Link(1, 2, ("device", "phone"))]


def test_neighbours_with_most_ties_come_first():
    links = [Link(1, 2, ("phone",)), Link(1, 3, ("device", "phone")), Link(2, 3, ("phone",))]

    assert neighbours(1, links) == [3, 2]


@given(st.lists(st.tuples(people, people, st.just("phone")), max_size=60))
def test_everybody_within_two_hops_has_a_place_of_their_own(ties):
    links = joined(ties)
    first = neighbours(1, links)
    found = places(1, first, links)

    second = {
        end
        for link in links
        for end, near in ((link.one, link.other), (link.other, link.one))
        if near in first
    } - {1, *first}
    assert [p.customer_id for p in found if p.hop == 1] == first
    assert {p.customer_id for p in found if p.hop == 2} == second
    assert len({(p.x, p.y) for p in found}) == len(found)
    assert all(hypot(p.x, p.y) < 320 for p in found)


def test_the_outer_ring_is_bounded():
    links = [Link(1, 2, ("phone",)), *(Link(2, n, ("phone",)) for n in range(3, 200))]

    assert len(places(1, [2], links)) == 2 + MOST_SECOND


def test_s19_features_of_a_neighbourhood():
    found = neighbourhood([2, 3, 4, 4], {2: True, 3: False}, shared_device_count=7)

    assert (found.degree, found.shared_device_count) == (3, 7)
    assert found.neighbour_default_rate == 0.5
    assert neighbourhood([2], {}, shared_device_count=0).neighbour_default_rate is None
