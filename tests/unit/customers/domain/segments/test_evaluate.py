from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from customers.domain.fields.catalogue import Op
from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    Compare,
    ConsentCondition,
    EventCondition,
    LoanCondition,
    Not,
    PropertyFilter,
    ScoreCondition,
    SegmentCondition,
)
from customers.domain.segments.evaluate import (
    CustomerFacts,
    EventFact,
    StandingConsent,
    completed_years,
    matches,
    satisfies,
)
from customers.domain.segments.scope import RuleScope
from tests.unit.customers.domain.segments.catalogue import CATALOGUE, NOW, SCOPE

TODAY = date(2026, 4, 1)  # in Shanghai; still 31 March in UTC
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("op", "value", "yes", "no"),
    [
        (Op.EQUAL, 5, [5], [4, 6]),
        (Op.NOT_EQUAL, 5, [4, 6], [5]),
        (Op.LESS, 5, [4], [5, 6]),
        (Op.AT_MOST, 5, [4, 5], [6]),
        (Op.MORE, 5, [6], [4, 5]),
        (Op.AT_LEAST, 5, [5, 6], [4]),
        (Op.IN, (1, 5), [1, 5], [3]),
        (Op.NOT_IN, (1, 5), [3], [1, 5]),
        (Op.BETWEEN, (1, 5), [1, 3, 5], [0, 6]),
        (Op.NOT_BETWEEN, (1, 5), [0, 6], [1, 3, 5]),
        (Op.CONTAINS, "海", ["上海", "海"], ["上", "北京"]),
        (Op.BEGINS_WITH, "上", ["上海"], ["海上"]),
        (Op.ENDS_WITH, "海", ["上海"], ["海上"]),
        (Op.CONTAINS, "a", ["ab"], ["AB", "b"]),
        (Op.NOT_NULL, None, [0, "", False], []),
        (Op.NULL, None, [], [0, False]),
        (Op.IN_LAST_DAYS, 7, [TODAY, TODAY - 7 * DAY], [TODAY - 8 * DAY, TODAY + DAY]),
        (Op.IN_LAST_DAYS, 0, [TODAY], [TODAY - DAY, TODAY + DAY]),
        (Op.IN_NEXT_DAYS, 7, [TODAY, TODAY + 7 * DAY], [TODAY + 8 * DAY, TODAY - DAY]),
        (Op.MORE_THAN_DAYS_AGO, 7, [TODAY - 8 * DAY], [TODAY - 7 * DAY, TODAY, TODAY + DAY]),
    ],
)  # fmt: skip
def test_each_operator_means_what_its_name_says_and_missing_is_false(op, value, yes, no):
    assert [actual for actual in yes if not satisfies(actual, op, value, TODAY)] == []
    assert [actual for actual in no if satisfies(actual, op, value, TODAY)] == []
    assert satisfies(None, op, value, TODAY) is (op is Op.NULL)


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        (date(2008, 4, 1), date(2026, 4, 1), 18),
        (date(2008, 4, 2), date(2026, 4, 1), 17),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 4, 1), date(2026, 4, 1), 0),
    ],
)
def test_age_is_in_completed_years(born, today, age):
    assert completed_years(born, today) == age


def holds(rule, **facts):
    return matches(rule, CustomerFacts(**facts), SCOPE)


def test_age_is_counted_on_the_companys_day_and_never_for_the_unborn():
    grown = Compare("age", Op.AT_LEAST, 18)
    assert holds(grown, columns={"birth_date": date(2008, 4, 1)})
    assert not holds(grown, columns={"birth_date": date(2008, 4, 2)})
    assert not holds(Compare("age", Op.LESS, 18), columns={"birth_date": date(2026, 4, 2)})
    assert holds(Compare("age", Op.NULL), columns={"birth_date": date(2026, 4, 2)})


def test_not_inverts_a_condition_that_is_false_because_the_value_is_missing():
    plan = Compare("attribute.plan", Op.EQUAL, "a")
    other = Compare("attribute.plan", Op.NOT_EQUAL, "a")
    assert not holds(plan)
    assert not holds(other)
    assert holds(Not(plan))
    assert holds(Not(other))
    assert not holds(Not(Compare("attribute.plan", Op.NULL)))


def test_empty_text_counts_as_missing():
    assert holds(Compare("city", Op.NULL), columns={"city": ""})
    assert not holds(Compare("city", Op.NOT_EQUAL, "上海"), columns={"city": ""})
    assert not holds(Compare("city", Op.NOT_NULL), columns={"city": ""})


def test_groups_without_conditions_are_true_for_all_and_false_for_any():
    assert holds(AllOf(()))
    assert not holds(AnyOf(()))


def test_a_moment_is_compared_by_its_day_in_the_companys_zone():
    late = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    assert holds(Compare("created_at", Op.EQUAL, TODAY), columns={"created_at": late})
    early = late - timedelta(seconds=1)
    assert not holds(Compare("created_at", Op.EQUAL, TODAY), columns={"created_at": early})


LOANS = (
    {"dpd_days": 40, "status": "settled", "disbursed_on": date(2026, 3, 1)},
    {"dpd_days": 0, "status": "active", "disbursed_on": date(2026, 3, 2)},
)


def loan(*where):
    return LoanCondition(tuple(PropertyFilter(*item) for item in where))


def test_two_loan_conditions_may_be_met_by_two_loans_but_a_group_by_one_only():
    overdue, active = ("dpd_days", Op.MORE, 30), ("status", Op.EQUAL, "active")
    assert holds(AllOf((loan(overdue), loan(active))), loans=LOANS)
    assert not holds(loan(overdue, active), loans=LOANS)
    assert not holds(loan(overdue))


def test_null_on_a_loans_property_means_that_no_loan_has_it():
    assert holds(loan(("product", Op.NULL)), loans=LOANS)
    assert holds(loan(("product", Op.NULL)))
    assert not holds(loan(("status", Op.NULL)), loans=LOANS)


def test_months_on_book_are_completed_months():
    assert holds(loan(("months_on_book", Op.EQUAL, 1)), loans=LOANS[:1])
    assert holds(loan(("months_on_book", Op.EQUAL, 0)), loans=LOANS[1:])


def test_a_consent_stands_until_the_moment_it_expires():
    asked = ConsentCondition("sms", "marketing")
    key = ("sms", "marketing")
    assert holds(asked, consents={key: StandingConsent(is_granted=True)})
    later = NOW + timedelta(microseconds=1)
    assert holds(asked, consents={key: StandingConsent(is_granted=True, expires_at=later)})
    assert not holds(asked, consents={key: StandingConsent(is_granted=True, expires_at=NOW)})
    assert not holds(asked, consents={key: StandingConsent(is_granted=False)})
    assert not holds(asked)
    assert holds(ConsentCondition("sms", "marketing", granted=False))


def test_a_score_that_was_never_given_is_missing():
    low = ScoreCondition("churn", Op.LESS, Decimal("0.5"))
    assert holds(low, scores={"churn": Decimal("0.499999")})
    assert not holds(low, scores={"propensity": Decimal(0)})
    assert holds(ScoreCondition("churn", Op.NULL))


def test_a_segment_is_a_list_of_members_or_a_rule_of_its_own():
    assert holds(SegmentCondition("listed"), segments=frozenset({"listed"}))
    assert not holds(SegmentCondition("listed"))
    ruled = RuleScope(CATALOGUE, NOW, SCOPE.zone, {"ruled": Compare("city", Op.EQUAL, "上海")})
    resident = CustomerFacts(columns={"city": "上海"})
    assert matches(SegmentCondition("ruled"), resident, ruled)
    assert not matches(SegmentCondition("ruled", is_member=False), resident, ruled)


def login(ago, **properties):
    return EventFact("app_login", NOW - ago, properties)


@pytest.mark.parametrize(
    ("aggregate", "op", "value", "expected"),
    [
        ("count", Op.EQUAL, 0, True),
        ("count", Op.LESS, 1, True),
        ("count", Op.AT_LEAST, 1, False),
        ("sum_amount", Op.EQUAL, Decimal(0), True),
        ("sum_amount", Op.LESS, Decimal(100), True),
        ("sum_amount", Op.MORE, Decimal(0), False),
        ("days_since_last", Op.AT_LEAST, 0, False),
        ("days_since_first", Op.NOT_EQUAL, 5, False),
    ],
)
def test_without_events_counts_and_sums_are_zero_and_days_are_missing(
    aggregate, op, value, expected
):
    assert holds(EventCondition("app_login", aggregate, op, value)) is expected


def test_days_since_an_event_are_completed_periods_of_24_hours():
    events = (login(timedelta(days=30) - timedelta(seconds=1)), login(timedelta(days=90)))
    assert holds(EventCondition("app_login", "days_since_last", Op.EQUAL, 29), events=events)
    assert holds(EventCondition("app_login", "days_since_first", Op.EQUAL, 90), events=events)


def test_events_after_now_do_not_count():
    events = (login(timedelta(seconds=-1)), login(timedelta(0)))
    assert holds(EventCondition("app_login", "count", Op.EQUAL, 1), events=events)
