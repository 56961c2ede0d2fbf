"""CSAT and NPS by hand, and the coverage of their intervals."""

import numpy as np
import pytest

from analytics.domain.lifetime.satisfaction import SurveyScoreError, csat, nps
from analytics.domain.rates import wilson


def test_s21_csat_is_the_share_of_fours_and_fives():
    found = csat({1: 2, 3: 3, 4: 10, 5: 5})
    assert found == wilson(15, 20)
    assert csat({}).rate is None


def test_s21_nps_is_promoters_less_detractors():
    found = nps({10: 40, 9: 10, 8: 20, 7: 10, 6: 5, 0: 15})
    assert (found.promoters, found.passives, found.detractors) == (50, 30, 20)
    assert found.value == 30
    # (50.75 − 20.75) / 103 = 0.29126; variance 0.69417 − 0.08483; half-width 1.96·√(.60934/103).
    assert (found.low, found.high) == pytest.approx((14.052, 44.200), abs=0.01)
    assert nps({}).value is None


def test_all_alike_still_leaves_room():
    found = nps({10: 5})
    assert found.value == 100
    assert found.low < 80
    assert found.high == 100


@pytest.mark.parametrize("counts", [{0: 1}, {6: 1}, {3: -1}])
def test_a_score_that_is_not_offered_is_refused(counts):
    with pytest.raises(SurveyScoreError):
        csat(counts)
    with pytest.raises(SurveyScoreError):
        nps({11: 1})


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.2, 0.2, 0.6), (0.8, 0.15, 0.05)])
def test_s21_the_interval_of_nps_holds_the_truth_in_93_to_97_of_100_surveys(shares):
    rng = np.random.default_rng(8)
    truth, rounds, hits = 100 * (shares[0] - shares[2]), 2_000, 0
    for counts in rng.multinomial(60, shares, size=rounds):
        found = nps(dict(zip((10, 8, 2), map(int, counts), strict=True)))
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / rounds <= 0.97
