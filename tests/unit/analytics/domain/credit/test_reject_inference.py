"""Reject inference is shown beside the accepted-only figure, and errs where it must."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from analytics.domain.credit import reject_inference
from analytics.domain.credit.reject_inference import RejectSensitivity, SeparationFigure


def figures(found):
    return {(figure.method, figure.factor): figure for figure in found.alternatives}


def test_bands_by_hand():
    # Two risks: of the low 1 in 10 accepted is bad and none was declined; of the high 1 in 2.
    accepted = [0.1] * 10 + [0.5] * 2
    bad = [1] + [0] * 9 + [1, 0]

    found = reject_inference.reject_sensitivity(
        accepted=accepted, accepted_bad=bad, declined=[0.5] * 8, factors=(1.0, 2.0)
    )

    assert found.headline.default_rate == pytest.approx(2 / 12)
    by = figures(found)
    # The two of high risk stand for ten, of whom five are bad.
    assert by["augmentation", 1.0].default_rate == pytest.approx(6 / 20)
    assert by["parcelling", 1.0].default_rate == pytest.approx(6 / 20)
    assert by["parcelling", 2.0].default_rate == pytest.approx(10 / 20)


def test_the_accepted_are_never_shown_alone_where_some_were_declined():
    figure = SeparationFigure(reject_inference.RejectMethod.ACCEPTED_ONLY, 1.0, 0.1, 0.7, 0.3)
    with pytest.raises(ValueError, match="not shown alone"):
        RejectSensitivity(10, 1, figure, ())

    found = reject_inference.reject_sensitivity(
        accepted=[0.1, 0.2], accepted_bad=[0, 1], declined=[0.3]
    )
    assert len(found.alternatives) == 1 + len(reject_inference.FACTORS)
    alone = reject_inference.reject_sensitivity(
        accepted=[0.1, 0.2], accepted_bad=[0, 1], declined=[]
    )
    assert alone.alternatives == ()


def test_separation_equals_an_independent_implementation():
    generator = np.random.default_rng(5)
    risk = generator.integers(0, 20, 500) / 20
    bad = (generator.random(500) < risk).astype(int)

    found = reject_inference.reject_sensitivity(
        accepted=list(risk), accepted_bad=list(bad), declined=[]
    )

    assert found.headline.auc == pytest.approx(roc_auc_score(bad, risk), abs=1e-12)


def test_worked_separation_with_a_tie():
    found = reject_inference.reject_sensitivity(
        accepted=[0.9, 0.8, 0.35, 0.3, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05],
        accepted_bad=[1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
        declined=[],
    )

    assert (found.headline.auc, found.headline.ks) == pytest.approx((0.8125, 0.5))


def test_the_truth_of_all_applicants_is_found_where_acceptance_follows_the_score():
    generator = np.random.default_rng(11)
    risk = generator.beta(2, 8, 40_000)
    bad = (generator.random(40_000) < risk).astype(int)
    is_in = generator.random(40_000) < 1 - risk

    found = reject_inference.reject_sensitivity(
        accepted=list(risk[is_in]), accepted_bad=list(bad[is_in]), declined=list(risk[~is_in])
    )

    by = figures(found)
    assert found.headline.default_rate < bad.mean() - 0.01
    assert by["augmentation", 1.0].default_rate == pytest.approx(bad.mean(), abs=0.006)
    assert by["parcelling", 1.0].default_rate == pytest.approx(bad.mean(), abs=0.006)


def test_declined_where_nobody_was_accepted_are_counted():
    found = reject_inference.reject_sensitivity(
        accepted=[0.1] * 50, accepted_bad=[0, 1] * 25, declined=[0.9] * 50
    )

    assert found.without_support_count == 50
    assert figures(found)["parcelling", 1.0].default_rate == pytest.approx(0.5)


def test_all_good_separate_nothing():
    found = reject_inference.reject_sensitivity(
        accepted=[0.1, 0.2], accepted_bad=[0, 0], declined=[]
    )
    assert (found.headline.auc, found.headline.ks) == (None, None)
    with pytest.raises(ValueError, match="accepted"):
        reject_inference.reject_sensitivity(accepted=[], accepted_bad=[], declined=[0.1])
