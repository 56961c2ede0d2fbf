"""Sizes of variants by channel, language and day."""

import pytest

from analytics.domain.sample_ratio import SampleDimension, sample_ratios


def test_f70_sizes_are_checked_within_each_value_as_scipy_does():
    stats = pytest.importorskip("scipy.stats")
    counts = [
        (SampleDimension.DAY, "2026-01-05", "A", 500),
        (SampleDimension.DAY, "2026-01-05", "B", 480),
        (SampleDimension.DAY, "2026-01-06", "A", 200),
        (SampleDimension.DAY, "2026-01-06", "A", 200),
        (SampleDimension.DAY, "2026-01-06", "B", 250),
    ]

    first, second = sample_ratios(counts, {"A": 1, "B": 1})

    assert (first.value, first.check.is_off) == ("2026-01-05", False)
    assert first.check.p_value == pytest.approx(stats.chisquare([500, 480]).pvalue)
    assert second.check.observed == (400, 250)
    assert second.check.is_off


def test_f76_a_variant_without_people_counts_as_none_and_one_alone_is_not_compared():
    (found,) = sample_ratios([(SampleDimension.LANGUAGE, "en", "A", 40)], {"A": 1, "B": 1})
    assert found.check.observed == (40, 0)
    assert found.check.is_off
    assert sample_ratios([(SampleDimension.LANGUAGE, "en", "A", 40)], {"A": 1, "C": 0}) == ()
