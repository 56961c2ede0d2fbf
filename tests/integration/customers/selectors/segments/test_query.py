"""Each trap of compiling rules to SQL, by name, against what the rule says."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from customers.domain.fields.catalogue import Op, RuleUse
from customers.domain.segments.ast import Compare, Not
from customers.domain.segments.evaluate import EventFact, StandingConsent
from customers.domain.segments.scope import RuleScope
from customers.domain.segments.validate import read_rule
from customers.models import Customer
from customers.selectors.segments import query as segment_query
from customers.selectors.segments.catalogue import load_catalogue
from tests.integration.customers import segment_population as population
from tests.integration.customers.segment_population import NOW, SECOND, TODAY, ZONE

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def fixed():
    return population.write_fixed()


@pytest.fixture
def write(fixed):
    """Write a customer by a short name and give it back by that name later."""

    def write_one(name, **facts):
        columns = {"external_id": name} | facts.pop("columns", {})
        population.write_customer(columns=columns, fixed=fixed, **facts)

    return write_one


def rule(field, operator="=", value=None):
    return {"field": field, "operator": operator, "value": value}


def group(*rules, combinator="and", **more):
    return {"combinator": combinator, "rules": list(rules), **more}


def negated(*rules):
    return group(*rules, **{"not": True})


def event(name="app_login", **value):
    return rule("event", "=", {"event": name, **value})


def query(data, *, now=NOW, zone=ZONE):
    catalogue = load_catalogue()
    tree = read_rule(data, catalogue=catalogue, use=RuleUse.RISK)
    return segment_query.customers_matching(tree, RuleScope(catalogue, now, zone))


def chosen(data, **when):
    return sorted(query(data, **when).values_list("external_id", flat=True))


def test_an_empty_group_is_everybody_and_its_negation_nobody_also_beside_other_rules(write):
    write("a", columns={"city": "上海"})
    write("b")
    tree = segment_query.AllOf(())
    scope = RuleScope(load_catalogue(), NOW, ZONE)

    def found(made):
        return segment_query.customers_matching(made, scope).count()

    nobody = segment_query.AnyOf(())
    assert found(tree) == 2
    assert found(nobody) == 0
    assert found(segment_query.Not(tree)) == 0
    assert found(segment_query.Not(nobody)) == 2
    assert found(segment_query.AnyOf((tree, nobody))) == 2
    assert found(segment_query.AllOf((tree, nobody))) == 0


def test_merged_customers_are_never_chosen(write):
    write("kept")
    write("merged")
    kept = Customer.objects.get(external_id="kept")
    Customer.objects.filter(external_id="merged").update(merged_into=kept)
    assert chosen(group()) == ["kept"]
    assert chosen(negated(rule("city", "=", "上海"))) == ["kept"]


def test_negating_a_number_attribute_keeps_those_who_do_not_have_it(write):
    write("low", attributes={"number": Decimal(-5)})
    write("high", attributes={"number": Decimal(5)})
    write("empty", attributes={"number": None})
    write("none")
    assert chosen(rule("attribute.number", ">", 0)) == ["high"]
    assert chosen(rule("attribute.number", "<", 0)) == ["low"]
    assert chosen(rule("attribute.number", "!=", 5)) == ["low"]
    assert chosen(negated(rule("attribute.number", ">", 0))) == ["empty", "low", "none"]
    assert chosen(rule("attribute.number", "null")) == ["empty", "none"]
    assert chosen(rule("attribute.number", "notNull")) == ["high", "low"]


def test_attributes_of_other_types_never_answer_an_order_comparison(write):
    write("text", attributes={"plan": "x"})
    write("flag", attributes={"vip": True})
    assert chosen(rule("attribute.number", ">", 0)) == []
    assert chosen(rule("attribute.number", "<", 0)) == []


def test_negating_a_text_attribute_keeps_those_who_do_not_have_it(write):
    write("a", attributes={"plan": "a"})
    write("b", attributes={"plan": "b"})
    write("none")
    assert chosen(rule("attribute.plan", "=", "a")) == ["a"]
    assert chosen(rule("attribute.plan", "!=", "a")) == ["b"]
    assert chosen(negated(rule("attribute.plan", "=", "a"))) == ["b", "none"]
    assert chosen(negated(rule("attribute.plan", "!=", "a"))) == ["a", "none"]


def test_two_conditions_on_loans_may_be_met_by_two_loans(write):
    shared = {"principal_amount": 1, "disbursed_on": date(2026, 1, 1)}
    write("both", loans=[{"dpd_days": 40, **shared}, {"dpd_days": 0, **shared}])
    write("one", loans=[{"dpd_days": 40, **shared}])
    conditions = (rule("loan.dpd_days", "=", 0), rule("loan.dpd_days", ">", 30))
    assert chosen(group(*conditions)) == ["both"]
    same = [
        {"property": "dpd_days", "operator": "=", "value": 0},
        {"property": "dpd_days", "operator": ">", "value": 30},
    ]
    assert chosen(rule("loan", "=", {"where": same})) == []


def test_a_customer_with_many_matching_rows_comes_back_once(write):
    shared = {"principal_amount": 1, "disbursed_on": date(2026, 1, 1)}
    write(
        "a",
        loans=[{"dpd_days": days, **shared} for days in (31, 32, 33)],
        events=[EventFact("app_login", NOW - timedelta(hours=hour)) for hour in range(5)],
    )
    both = group(rule("loan.dpd_days", ">", 30), event(value=2), event(value=1))
    assert query(both).count() == 1
    assert chosen(both) == ["a"]
    assert "JOIN" not in str(query(both).query)


def test_a_missing_birth_date_is_neither_under_nor_over_an_age_but_is_not_over_it(write):
    write("young", columns={"birth_date": date(2008, 4, 2)})
    write("grown", columns={"birth_date": date(2008, 4, 1)})
    write("unborn", columns={"birth_date": TODAY + timedelta(days=1)})
    write("unknown")
    assert chosen(rule("age", ">=", 18)) == ["grown"]
    assert chosen(rule("age", "<", 18)) == ["young"]
    assert chosen(negated(rule("age", ">=", 18))) == ["unborn", "unknown", "young"]
    assert chosen(rule("age", "null")) == ["unborn", "unknown"]
    assert chosen(rule("age", "between", [0, 200])) == ["grown", "young"]
    assert chosen(rule("age", "<", 5000)) == ["grown", "young"]


def test_age_is_counted_on_the_companys_day(write):
    write("a", columns={"birth_date": date(2008, 4, 1)})
    assert chosen(rule("age", "=", 18), now=NOW) == ["a"]
    assert chosen(rule("age", "=", 18), now=NOW - timedelta(hours=1)) == []


def test_one_born_on_29_february_comes_of_age_on_1_march(write):
    write("a", columns={"birth_date": date(2008, 2, 29)})
    day = datetime(2026, 2, 28, 12, tzinfo=ZONE)
    assert chosen(rule("age", ">=", 18), now=day) == []
    assert chosen(rule("age", ">=", 18), now=day + timedelta(days=1)) == ["a"]


def test_empty_text_is_missing(write):
    write("here", columns={"city": "上海"})
    write("there", columns={"city": "北京"})
    write("empty", columns={"city": ""})
    assert chosen(rule("city", "!=", "上海")) == ["there"]
    assert chosen(rule("city", "notIn", ["上海"])) == ["there"]
    assert chosen(negated(rule("city", "!=", "上海"))) == ["empty", "here"]
    assert chosen(rule("city", "null")) == ["empty"]
    assert chosen(negated(rule("city", "null"))) == ["here", "there"]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("contains", "b", ["Ab", "a%b", "a_b", "ab"]),
        ("contains", "A", ["Ab"]),
        ("contains", "%", ["a%b"]),
        ("contains", "_", ["a_b"]),
        ("beginsWith", "a", ["a%b", "a_b", "ab"]),
        ("endsWith", "b", ["Ab", "a%b", "a_b", "ab"]),
        ("endsWith", "a%b", ["a%b"]),
        ("=", "ab", ["ab"]),
        ("contains", "é", ["é"]),
        ("beginsWith", "上", ["上海"]),
    ],
)
def test_text_is_matched_exactly_without_wildcards_on_both_databases(
    write, operator, value, expected
):
    for name in ("ab", "Ab", "a%b", "a_b", "é", "É", "上海", ""):
        write(name or "empty", columns={"city": name})
    found = query(rule("city", operator, value)).values_list("city", flat=True)
    assert sorted(found) == sorted(expected)


def test_denying_a_text_function_over_a_nullable_column_keeps_its_nulls(write):
    write("known", columns={"national_id_index": "ab"})
    write("unknown", columns={"national_id_index": None})
    catalogue = load_catalogue()
    spec = replace(catalogue.fields["city"], name="index", column="national_id_index")
    catalogue = replace(catalogue, fields={"index": spec})
    begins = Compare("index", Op.BEGINS_WITH, "a")
    scope = RuleScope(catalogue, NOW, ZONE)
    for rule_, expected in ((begins, ["known"]), (Not(begins), ["unknown"])):
        found = segment_query.customers_matching(rule_, scope)
        assert list(found.values_list("external_id", flat=True)) == expected


def test_an_instant_is_compared_by_the_companys_day(write):
    midnight = datetime(2026, 4, 1, tzinfo=ZONE)
    write("before", columns={"created_at": midnight - SECOND})
    write("at", columns={"created_at": midnight})
    write("last", columns={"created_at": midnight + timedelta(days=1) - SECOND})
    write("after", columns={"created_at": midnight + timedelta(days=1)})
    assert chosen(rule("created_at", "=", "2026-04-01")) == ["at", "last"]
    assert chosen(rule("created_at", "!=", "2026-04-01")) == ["after", "before"]
    assert chosen(rule("created_at", "<=", "2026-04-01")) == ["at", "before", "last"]
    assert chosen(rule("created_at", ">", "2026-04-01")) == ["after"]
    assert chosen(rule("created_at", "inLastDays", 1)) == ["at", "before", "last"]


@pytest.mark.parametrize(
    ("ago", "is_inside"),
    [
        (timedelta(days=30), True),
        (timedelta(days=30, microseconds=1), False),
        (timedelta(0), True),
        (-timedelta(microseconds=1), False),
    ],
)
def test_a_window_of_days_includes_both_ends_and_nothing_after_now(write, ago, is_inside):
    write("a", events=[EventFact("app_login", NOW - ago)])
    expected = ["a"] if is_inside else []
    assert chosen(event(within_days=30)) == expected
    assert chosen(negated(event(within_days=30, value=1))) == ([] if is_inside else ["a"])


@pytest.mark.parametrize(
    ("at", "is_inside"),
    [
        (datetime(2026, 3, 1, tzinfo=ZONE), True),
        (datetime(2026, 3, 1, tzinfo=ZONE) - SECOND, False),
        (datetime(2026, 3, 31, 23, 59, 59, tzinfo=ZONE), True),
        (datetime(2026, 4, 1, tzinfo=ZONE), False),
    ],
)
def test_a_period_of_days_includes_the_whole_last_day(write, at, is_inside):
    write("a", events=[EventFact("app_login", at)])
    expected = ["a"] if is_inside else []
    assert chosen(event(between=["2026-03-01", "2026-03-31"])) == expected


def test_two_app_logins_in_thirty_days_are_counted_with_the_property_filter(write):
    def login(ago, channel):
        return EventFact("app_login", NOW - ago, {"channel": channel})

    edge = timedelta(days=30)
    write("two", events=[login(edge, "app"), login(SECOND, "app")])
    write("outside", events=[login(edge + SECOND, "app"), login(SECOND, "app")])
    write("web", events=[login(SECOND, "web"), login(SECOND, "app")])
    write("none")
    where = [{"property": "channel", "operator": "=", "value": "app"}]
    twice = event(value=2, within_days=30, where=where)
    assert chosen(twice) == ["two"]
    assert chosen(negated(twice)) == ["none", "outside", "web"]
    assert chosen(event(operator="<", value=2, within_days=30, where=where)) == [
        "none",
        "outside",
        "web",
    ]
    assert chosen(event(operator="=", value=0, within_days=30, where=where)) == ["none"]
    assert chosen(event(operator="=", value=1, within_days=30, where=where)) == ["outside", "web"]
    assert chosen(event(operator=">=", value=0)) == ["none", "outside", "two", "web"]
    assert chosen(event(operator="<", value=0)) == []


def test_sums_of_cents_are_exact_also_where_the_database_adds_floats(write):
    def paid(amount):
        return EventFact("repayment_made", NOW - SECOND, {"amount": amount})

    write("tenths", events=[paid(Decimal("0.10")), paid(Decimal("0.20"))])
    write("more", events=[paid(Decimal("0.31"))])
    write("refunded", events=[paid(Decimal("-5.00"))])
    write("unknown", events=[paid(None)])
    write("none")

    def total(operator, value):
        return event("repayment_made", aggregate="sum_amount", operator=operator, value=value)

    assert chosen(total("=", "0.3")) == ["tenths"]
    assert chosen(total(">", "0.3")) == ["more"]
    assert chosen(total("<=", "0.3")) == ["none", "refunded", "tenths", "unknown"]
    assert chosen(total("=", 0)) == ["none", "unknown"]
    assert chosen(total("<", 0)) == ["refunded"]
    assert chosen(negated(total("<=", "0.3"))) == ["more"]


def test_days_since_the_last_event_are_whole_days_and_missing_without_one(write):
    def login(ago):
        return EventFact("app_login", NOW - ago)

    write("fresh", events=[login(timedelta(days=30) - SECOND), login(timedelta(days=100))])
    write("edge", events=[login(timedelta(days=30))])
    write("never")

    def since(operator, value, aggregate="days_since_last"):
        return event(aggregate=aggregate, operator=operator, value=value)

    assert chosen(since(">=", 30)) == ["edge"]
    assert chosen(since("<", 30)) == ["fresh"]
    assert chosen(since("=", 29)) == ["fresh"]
    assert chosen(negated(since(">=", 30))) == ["fresh", "never"]
    assert chosen(since("=", 100, "days_since_first")) == ["fresh"]
    assert chosen(since("<", 0)) == []


def test_an_event_that_never_happened_to_anybody_counts_zero(write):
    write("a")
    assert chosen(event("complaint_made")) == []
    assert chosen(event("complaint_made", operator="=", value=0)) == ["a"]
    assert chosen(negated(event("complaint_made", value=2))) == ["a"]


def test_event_counts_are_one_grouped_pass_and_not_a_count_a_customer(write):
    write("a")
    sql = str(query(event(value=2)).query)
    assert "GROUP BY" in sql
    assert "HAVING" in sql
    assert "IN (SELECT" in sql
    assert sql.count("COUNT(") == 1
    assert "EXISTS" not in sql
    assert "NOT EXISTS" in str(query(negated(event(value=2))).query).upper()


def test_a_denied_group_of_events_is_never_a_not_in_over_a_subquery(write):
    write("a")
    sql = str(query(negated(event(value=2), event(aggregate="sum_amount", value=5))).query)
    assert "NOT (" not in sql.replace("NOT (EXISTS", "")
    assert "NOT IN" not in sql


def test_the_latest_score_is_asked_and_a_missing_one_is_false(write):
    write("high", scores={"churn": Decimal("0.9")})
    write("low", scores={"churn": Decimal("0.1")})
    write("other", scores={"propensity": Decimal("0.9")})
    assert chosen(rule("score.churn", ">", "0.4")) == ["high"]
    assert chosen(rule("score.churn", "=", "0.5")) == []
    assert chosen(negated(rule("score.churn", ">", "0.4"))) == ["low", "other"]
    assert chosen(rule("score.churn", "null")) == ["other"]


def test_a_consent_stands_until_the_moment_it_expires(write):
    key = ("sms", "marketing")
    states = {
        "open": StandingConsent(is_granted=True),
        "lasting": StandingConsent(is_granted=True, expires_at=NOW + SECOND),
        "expired": StandingConsent(is_granted=True, expires_at=NOW),
        "withdrawn": StandingConsent(is_granted=False),
    }
    for name, state in states.items():
        write(name, consents={key: state})
    write("never")
    assert chosen(rule("consent.sms.marketing", "granted")) == ["lasting", "open"]
    assert chosen(rule("consent.sms.marketing", "not_granted")) == [
        "expired",
        "never",
        "withdrawn",
    ]
    assert chosen(negated(rule("consent.sms.marketing", "granted"))) == [
        "expired",
        "never",
        "withdrawn",
    ]


def test_members_who_left_a_list_are_no_longer_in_it(write, fixed):
    write("in", is_listed=True)
    write("left", is_listed=True)
    write("never")
    left = Customer.objects.get(external_id="left")
    fixed.listed.members.filter(customer=left).update(left_at=NOW)
    assert chosen(rule("segment", "=", "listed")) == ["in"]
    assert chosen(rule("segment", "!=", "listed")) == ["left", "never"]


def test_the_largest_rules_that_are_accepted_also_run(write):
    write("a", columns={"city": "x498", "birth_date": date(2000, 1, 1)})
    wide = group(*(rule("city", "=", f"x{number}") for number in range(499)), combinator="or")
    assert chosen(wide) == ["a"]
    assert chosen(negated(*wide["rules"])) == ["a"]
    ages = rule("age", "notIn", list(range(100, 200)))
    assert chosen(group(*[ages] * 5)) == ["a"]
    assert chosen(group(*[ages] * 5, combinator="or")) == ["a"]
    assert chosen(negated(group(*[ages] * 5))) == []
    assert chosen(group(*[rule("city", "!=", "y")] * 499)) == ["a"]
    mixed = rule("city", "!=", "y")
    for level in range(9):
        mixed = group(*[rule("city", "!=", "y")] * 50, mixed, combinator=("or", "and")[level % 2])
    assert chosen(mixed) == ["a"]
    deep = rule("city", "=", "x498")
    for _ in range(10):
        deep = negated(deep)
    assert chosen(deep) == ["a"]
    many = rule("city", "in", [f"x{number}" for number in range(1000)])
    assert chosen(group(*[many] * 10)) == ["a"]


def test_the_statement_is_one_query(write, django_assert_num_queries):
    write("a")
    customers = query(group(event(value=2), rule("age", ">", 3), rule("loan.dpd_days", "=", 0)))
    with django_assert_num_queries(1):
        customers.count()
