"""Trials whose uplift is known because it was put in."""

import numpy as np

from analytics.domain.features import FeatureTable
from analytics.domain.uplift.trial import Trial


def planted(count, *, seed, is_null=False, treated_share=0.5):
    """Return a trial and the true uplift of everybody: 0.05 + 0.2·tanh(x), or 0.05 for all."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=count), rng.normal(size=count)
    treated = rng.random(count) < treated_share
    uplift = np.full(count, 0.05) if is_null else 0.05 + 0.2 * np.tanh(x)
    base = 0.35 + 0.05 * np.tanh(noise)
    outcome = rng.random(count) < base + uplift * treated
    table = FeatureTable(np.arange(count), ("x", "noise"), np.column_stack([x, noise]))
    return Trial(table, treated, outcome), uplift
