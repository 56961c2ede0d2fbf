import json

import numpy as np
import pytest

from analytics.domain.clustering import discover
from analytics.domain.features import FeatureTable, Scaling, fit_scaling, plain_means, rows_of
from analytics.domain.lookalike import learn

WORDS = ("clerk", "driver", "teacher")


def _table(size=1000, seed=5):
    """Numbers and a category, a tenth of each unknown."""
    rng = np.random.default_rng(seed)
    work = rng.choice(3, size, p=(0.5, 0.3, 0.2)).astype(float)
    values = np.column_stack([rng.lognormal(8, 1, size), rng.poisson(9, size), work])
    values[rng.random((size, 3)) < 0.1] = np.nan
    return FeatureTable(np.arange(size), ("amount", "visits", "work"), values, {"work": WORDS})


def _with(table, rows, **changed):
    values = table.values.copy()
    for name, value in changed.items():
        values[rows, table.names.index(name)] = value
    return FeatureTable(table.customer_ids, table.names, values, table.words)


def test_s3_what_is_known_of_held_out_people_does_not_change_the_transform():
    table = _table()
    is_seed = np.arange(1000) < 300
    drawn = np.random.default_rng(2).permutation(np.flatnonzero(is_seed))
    held_out, learned = drawn[:90], drawn[90:]

    model = learn(table, is_seed, seed=2)
    other = learn(_with(table, held_out, amount=1e9, visits=-1e6, work=np.nan), is_seed, seed=2)
    moved = learn(_with(table, learned, amount=1e9), is_seed, seed=2)

    assert model.lift.held_out == 90
    assert other.scaling == model.scaling
    assert (other.weights, other.intercept) == (model.weights, model.intercept)
    assert moved.scaling != model.scaling


def test_s3_newcomers_do_not_change_where_others_belong():
    table = _with(_table(600), np.arange(0, 600, 2), amount=1.0, visits=200.0, work=0.0)
    table = _with(table, np.arange(1, 600, 2), work=2.0)
    model = discover(rows_of(table, np.arange(400)), seed=1, counts=(2,))
    strange = _with(table, np.arange(400, 600), amount=1e12, visits=np.nan)

    assert (model.assign(strange)[:400] == model.assign(table)[:400]).all()


def test_s3_a_category_that_was_not_seen_is_none_of_those_that_were():
    scaling = fit_scaling(_table())
    # Another table sorts other words: positions differ, words count.
    newer = FeatureTable(
        np.arange(4),
        ("amount", "visits", "work"),
        np.array([[3000.0, 9, 0], [3000.0, 9, 1], [3000.0, 9, 2], [3000.0, 9, np.nan]]),
        {"work": ("astronaut", "clerk", "driver")},
    )

    rows = scaling.apply(newer)

    assert scaling.labels == ("amount", "visits", "work=clerk", "work=driver", "work=teacher")
    is_word = [
        [
            bool(round(cell * c.deviation + c.mean))
            for cell, c in zip(row, scaling.columns, strict=True)
            if c.word
        ]
        for row in rows
    ]
    assert is_word == [
        [False, False, False],
        [True, False, False],
        [False, True, False],
        [False, False, False],
    ]
    assert (rows[0] == rows[3]).all()
    assert np.isfinite(rows).all()


def test_s3_rare_words_are_no_columns_and_unknown_numbers_become_the_median():
    table = _with(_table(), np.arange(1000), work=0.0)
    table = _with(table, np.arange(19), work=1.0)
    scaling = fit_scaling(_with(table, np.arange(500, 520), work=2.0))

    assert [column.label for column in scaling.columns] == [
        *("amount", "visits", "work=clerk", "work=teacher")
    ]
    amounts = table.values[:, 0]
    assert scaling.columns[0].median == pytest.approx(np.nanmedian(amounts))
    unknown = rows_of(table, np.flatnonzero(np.isnan(amounts))[:1])
    middle = _with(unknown, [0], amount=np.nanmedian(amounts))
    assert (scaling.apply(unknown) == scaling.apply(middle)).all()


def test_a_scaling_survives_being_stored_and_tells_shares_of_words():
    table = _table()
    scaling = fit_scaling(table)

    assert Scaling.from_json(json.loads(json.dumps(scaling.to_json()))) == scaling
    share = float((table.values[:, 2] == 1).mean())
    assert plain_means(table, ["work=driver", "visits"]) == pytest.approx(
        [share, np.nanmean(table.values[:, 1])]
    )
