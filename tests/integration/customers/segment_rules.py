"""Random rule JSON over the fields and edge values of `segment_population`."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.integration.customers import segment_population as population

_NUMBER_OPS = ("=", "!=", "<", "<=", ">", ">=")
_PRESENCE = ("null", "notNull")


def _rule(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def _numbers(field, pool, *, can_be_missing=True):
    """Return conditions on a number, whose constants come from a pool and lie around its values."""
    value = st.sampled_from(pool)
    pair = st.tuples(value, value).map(lambda two: sorted(two, key=float))
    choices = [
        st.tuples(st.sampled_from(_NUMBER_OPS), value),
        st.tuples(st.sampled_from(("between", "notBetween")), pair),
        st.tuples(st.sampled_from(("in", "notIn")), st.lists(value, min_size=1, max_size=3)),
    ]
    if can_be_missing:
        choices.append(st.tuples(st.sampled_from(_PRESENCE), st.none()))
    return st.one_of(choices).map(lambda made: _rule(field, *made))


_ATOMS = ("a", "B", "b", "上", "[a-z]", "[^a上]", ".", "\\w", "\\d", "[%_]", "\\.", "(a|sh|上)")
_pieces = st.builds(
    "{}{}".format, st.sampled_from(_ATOMS), st.sampled_from(("", "*", "+", "?", "{2}", "{1,3}"))
)
# Small patterns in the subset that marketers may write; also ones that are found in empty text.
patterns = st.builds(
    "{}{}{}".format,
    st.sampled_from(("", "^")),
    st.lists(_pieces, min_size=1, max_size=3).map("".join),
    st.sampled_from(("", "$", "|é", "|(ca)+[rs]")),
)


def _texts(field, pool):
    value = st.sampled_from([text for text in pool if text])
    return st.one_of(
        st.tuples(
            st.sampled_from(("=", "!=", "contains", "beginsWith", "endsWith")),
            value | st.sampled_from(("a", "b", "%", "_", "上")),
        ),
        st.tuples(st.just("regex"), patterns),
        st.tuples(st.sampled_from(("in", "notIn")), st.lists(value, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(_PRESENCE), st.none()),
    ).map(lambda made: _rule(field, *made))


def _choices(field, pool):
    value = st.sampled_from([text for text in pool if text])
    return st.one_of(
        st.tuples(st.sampled_from(("=", "!=")), value),
        st.tuples(st.sampled_from(("in", "notIn")), st.lists(value, min_size=1, max_size=2)),
        st.tuples(st.sampled_from(_PRESENCE), st.none()),
    ).map(lambda made: _rule(field, *made))


def _days(field, pool):
    near = {day + timedelta(days=shift) for day in pool if day for shift in (-1, 0, 1)}
    value = st.sampled_from(sorted(day.isoformat() for day in near))
    return st.one_of(
        st.tuples(st.sampled_from(_NUMBER_OPS), value),
        st.tuples(st.sampled_from(("between", "notBetween")), st.tuples(value, value).map(sorted)),
        st.tuples(
            st.sampled_from(("inLastDays", "inNextDays", "moreThanDaysAgo")),
            st.sampled_from((0, 1, 6, 7, 8, 30)),
        ),
        st.tuples(st.sampled_from(_PRESENCE), st.none()),
    ).map(lambda made: _rule(field, *made))


def _flags(field):
    return st.one_of(
        st.tuples(st.sampled_from(("=", "!=")), st.booleans()),
        st.tuples(st.sampled_from(_PRESENCE), st.none()),
    ).map(lambda made: _rule(field, *made))


_AGES = (-1, 0, 1, 17, 18, 36, 64, 200, 5000)
_SMALL = (0, 1, 2, 3)
_AMOUNTS = ("-1", "0", "0.1", "0.2", "0.3", "0.30", "99.99", "100.29")
_LOAN_NUMBERS = (0, 1, 30, 31)
_MONTHS = (-1, 0, 1, 2, 11, 12, 25, 26, 60_000)

_loan = st.one_of(
    _choices("loan.status", population.STATUSES),
    _numbers("loan.dpd_days", _LOAN_NUMBERS),
    _numbers("loan.outstanding_amount", ("0", "99.99", "100", "5000")),
    _numbers("loan.months_on_book", _MONTHS),
    _texts("loan.product", population.PRODUCTS),
    _days("loan.disbursed_on", population.DISBURSED),
)


def _as_filter(rule):
    return {
        "property": rule["field"].partition(".")[2],
        "operator": rule["operator"],
        "value": rule["value"],
    }


_same_loan = st.lists(_loan.map(_as_filter), min_size=2, max_size=3).map(
    lambda where: _rule("loan", "=", {"where": where})
)

_property = st.one_of(
    _numbers("event.amount", _AMOUNTS),
    _texts("event.channel", population.CHANNELS),
    _texts("event.subject", population.SUBJECTS),
).map(_as_filter)
_windows = st.one_of(
    st.just({}),
    st.sampled_from((1, 7, 30)).map(lambda days: {"within_days": days}),
    st.sampled_from(
        (
            ["2026-03-25", "2026-04-01"],
            ["2026-03-24T16:30:00+00:00", "2026-03-31T16:30:00+00:00"],
            ["2026-03-25T00:30:00", "2026-04-01T00:30:01"],
            ["2025-01-01", "2026-03-01"],
        )
    ).map(lambda ends: {"between": ends}),
)
_measures = st.one_of(
    _numbers("count", (-1, *_SMALL), can_be_missing=False),
    _numbers("sum_amount", _AMOUNTS, can_be_missing=False),
    _numbers("days_since_last", (-1, 0, 1, 6, 7, 8, 30, 31), can_be_missing=False),
    _numbers("days_since_first", (-1, 0, 7, 30, 31, 200), can_be_missing=False),
)
_event = st.builds(
    lambda name, measure, window, where: _rule(
        "event",
        "=",
        {
            "event": name,
            "aggregate": measure["field"],
            "operator": measure["operator"],
            "value": measure["value"],
            "where": where,
            **window,
        },
    ),
    st.sampled_from((*population.EVENTS, "call_made")),
    _measures,
    _windows,
    st.lists(_property, max_size=2),
)

_names = st.sampled_from((*population.EVENTS, "call_made"))
_sequence = st.builds(
    lambda event, then, days, followed, window, where, then_where: _rule(
        "sequence",
        "=",
        {
            "event": event,
            "then": then,
            "days": days,
            "followed": followed,
            "where": where,
            "then_where": then_where,
            **window,
        },
    ),
    _names,
    _names,
    st.sampled_from((1, 7, 23, 24, 30, 170)),
    st.booleans(),
    _windows,
    st.lists(_property, max_size=1),
    st.lists(_property, max_size=1),
)

_segment_event = st.builds(
    lambda name, slug, measure, window: _rule(
        "event",
        "=",
        {
            "event": name,
            "operator": measure["operator"],
            "value": measure["value"],
            "where": [{"property": "subject", "operator": "=", "value": slug}],
            **window,
        },
    ),
    st.sampled_from(population.SEGMENT_EVENTS),
    st.sampled_from(("listed", "ruled")),
    _numbers("count", _SMALL, can_be_missing=False),
    _windows,
)

conditions = st.one_of(
    _segment_event,
    _sequence,
    _sequence,
    _numbers("bucket", (-1, 0, 1, 33, 50, 98, 99, 100), can_be_missing=True),
    _numbers("bucket_b", (0, 20, 99)),
    _numbers("age", _AGES),
    _days("birth_date", population.BIRTH_DATES),
    _texts("city", population.CITIES),
    _choices("lifecycle_stage", population.STAGES),
    _flags("personalisation_allowed"),
    _days("created_at", [population.TODAY, population.TODAY - timedelta(days=7)]),
    _numbers("attribute.number", ("-5", "0", "0.1", "0.2", "0.3", "0.100001", "5")),
    _texts("attribute.plan", ("a", "B", "b")),
    _days("attribute.since", population.DAYS),
    _flags("attribute.vip"),
    st.sampled_from(population.CONSENTS).flatmap(
        lambda key: st.sampled_from(("granted", "not_granted")).map(
            lambda operator: _rule(f"consent.{key[0]}.{key[1]}", operator, None)
        )
    ),
    st.sampled_from(population.MODELS).flatmap(
        lambda model: _numbers(f"score.{model}", ("0", "0.25", "0.5", "0.999999", "1"))
    ),
    _loan,
    _same_loan,
    _event,
    _event,
    st.tuples(st.sampled_from(("=", "!=")), st.sampled_from(("listed", "ruled"))).map(
        lambda made: _rule("segment", *made)
    ),
)


def _group(children):
    return st.builds(
        lambda combinator, is_negated, rules: {
            "combinator": combinator,
            "not": is_negated,
            "rules": rules,
        },
        st.sampled_from(("and", "or")),
        st.booleans(),
        st.lists(children, min_size=1, max_size=3),
    )


rules = _group(st.recursive(conditions, _group, max_leaves=6))
