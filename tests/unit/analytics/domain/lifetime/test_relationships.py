"""Who leaves in which year, and what who stays will bring."""

import pytest

from analytics.domain.lifetime.contracts import contract_value, fit_sbg
from analytics.domain.lifetime.hazards import contract_hazards
from analytics.domain.lifetime.relationships import relationship_years

SPANS = [
    *((month, True, 40 - month) for month in range(1, 31)),
    (6, False, 10),
    (18, False, 30),
    (40, False, 19),
]


def test_years_count_who_was_seen_for_the_whole_of_them_or_left():
    found = relationship_years(SPANS, margin=10.0, discount=0.1)
    left = [sum(n for m, over, n in SPANS if over and (m - 1) // 12 == at) for at in range(3)]
    # Whoever still runs after half a year tells nothing of the first.
    first = sum(left) + 30 + 19
    assert [(each.year, each.left.successes, each.left.trials) for each in found] == [
        (1, left[0], first),
        (2, left[1], first - left[0] - 30),
        (3, left[2], first - left[0] - 30 - left[1]),
    ]
    assert found[0].survival == pytest.approx(1 - left[0] / first)
    table = contract_hazards(SPANS)
    a_month = 1.1 ** (1 / 12) - 1
    wanted = [
        contract_value(table, fit_sbg(table), age=age, margin=10.0, discount=a_month)
        for age in (0, 12, 24)
    ]
    assert [each.value for each in found] == pytest.approx(wanted)


def test_years_of_fewer_than_twenty_are_not_shown():
    assert relationship_years([(30, False, 19)], margin=1.0, discount=0.1) == []
    assert relationship_years([], margin=None, discount=0.1) == []


@pytest.mark.parametrize(("spans", "margin"), [(SPANS, None), ([(30, False, 50)], 5.0)])
def test_where_nothing_tells_a_value_there_is_none(spans, margin):
    found = relationship_years(spans, margin=margin, discount=0.1)
    assert found
    assert {each.value for each in found} == {None}
