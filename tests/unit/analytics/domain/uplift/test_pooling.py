"""Several campaigns as one trial: everybody once, and one share held out."""

from decimal import Decimal

import numpy as np
import pytest

from analytics.domain.uplift.pooling import TrialRow, evened, first_of_each


def rows_of(count, *, held_out, rate, first, seed=1):
    """Return a campaign without any effect, of which everybody converts at one rate."""
    rng = np.random.default_rng(seed)
    treated = rng.random(count) >= held_out
    reached = rng.random(count) < rate
    share = Decimal(str(held_out))
    return [
        TrialRow(first + at, 0, bool(treated[at]), bool(reached[at]), share) for at in range(count)
    ]


def difference(rows):
    rates = [
        np.mean([row.is_converted for row in rows if row.is_treated is flag])
        for flag in (True, False)
    ]
    return rates[0] - rates[1]


def test_what_differs_between_campaigns_does_not_pass_for_uplift():
    rows = rows_of(8000, held_out=0.1, rate=0.5, first=0)
    rows += rows_of(8000, held_out=0.5, rate=0.1, first=8000, seed=2)
    assert difference(rows) > 0.1, "as they are"
    kept = evened(rows, seed=3)
    assert difference(kept) == pytest.approx(0, abs=0.03)
    for share in (Decimal("0.1"), Decimal("0.5")):
        of_share = [row for row in kept if row.holdout_share == share]
        treated = np.mean([row.is_treated for row in of_share])
        assert treated == pytest.approx(np.mean([row.is_treated for row in rows]), abs=0.001)
    assert evened(rows, seed=3) == kept
    assert evened(rows, seed=4) != kept


def test_one_share_stays_as_it_is():
    rows = rows_of(100, held_out=0.3, rate=0.2, first=0)
    assert evened(rows, seed=1) == rows
    assert evened([], seed=1) == []


def test_everybody_counts_by_the_first_run_that_had_them():
    share = Decimal("0.2")
    early, late, other = (
        TrialRow(7, 10, True, False, share),
        TrialRow(7, 20, True, True, share),
        TrialRow(3, 15, False, False, share),
    )
    assert first_of_each([other, late, early]) == [other, early]
