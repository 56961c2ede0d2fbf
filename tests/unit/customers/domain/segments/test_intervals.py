from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from customers.domain.fields.catalogue import OPERATORS, FieldType, Op
from customers.domain.loans.instalments import months_between
from customers.domain.segments import intervals
from customers.domain.segments.evaluate import completed_years, satisfies

_days = st.dates(date(1990, 1, 1), date(2030, 12, 31))
_TODAY = date(2026, 4, 1)


@given(_days, st.integers(0, 90))
@example(date(2024, 2, 29), 1)
@example(date(2023, 2, 28), 3)
def test_the_last_date_so_many_years_ago_is_the_last_that_completes_them(today, years):
    last = intervals.latest_date_years_before(today, years)
    assert completed_years(last, today) == years
    assert completed_years(last + timedelta(days=1), today) < years or years == 0


@given(_days, st.integers(0, 400))
@example(date(2026, 2, 28), 1)
@example(date(2026, 3, 31), 1)
@example(date(2026, 4, 30), 1)
@example(date(2024, 2, 29), 12)
def test_the_last_date_so_many_months_ago_is_the_last_that_completes_them(today, months):
    last = intervals.latest_date_months_before(today, months)
    assert months_between(last, today) == months
    assert months_between(last + timedelta(days=1), today) < months or months == 0


_numbers = st.integers(-4, 8)


@st.composite
def _conditions(draw, operators, values):
    op = draw(st.sampled_from(operators))
    if op in {Op.IN, Op.NOT_IN}:
        return op, tuple(draw(st.lists(values, min_size=1, max_size=4)))
    if op in {Op.BETWEEN, Op.NOT_BETWEEN}:
        return op, tuple(sorted((draw(values), draw(values))))
    if op in {Op.IN_LAST_DAYS, Op.IN_NEXT_DAYS, Op.MORE_THAN_DAYS_AGO}:
        return op, draw(st.integers(0, 9))
    return op, draw(values)


_INTEGER_OPS = [op for op in OPERATORS[FieldType.INTEGER] if op is not Op.NULL]
_DATE_OPS = [op for op in OPERATORS[FieldType.DATE] if op is not Op.NULL]


@given(_conditions(_INTEGER_OPS, _numbers), _numbers)
def test_ranges_of_numbers_hold_exactly_what_satisfies_the_condition(condition, actual):
    op, value = condition
    ranges = intervals.number_ranges(op, value)
    expected = satisfies(actual, op, value, _TODAY)
    assert intervals.contains(ranges, actual) is expected
    assert intervals.contains(intervals.outside(ranges, 1), actual) is not expected


_near = st.integers(-12, 12).map(lambda days: _TODAY + timedelta(days=days))


@given(_conditions(_DATE_OPS, _near), _near)
def test_ranges_of_days_hold_exactly_what_satisfies_the_condition(condition, actual):
    op, value = condition
    ranges = intervals.day_ranges(op, value, _TODAY)
    assert intervals.contains(ranges, actual) is satisfies(actual, op, value, _TODAY)
