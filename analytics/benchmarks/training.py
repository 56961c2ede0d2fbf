"""Training on 200,000 rows of 30 columns against bare scikit-learn on the same matrix."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.benchmarks import planted
from analytics.domain.modelling import splits
from analytics.domain.modelling.boosting_fit import BoostingParameters
from analytics.domain.modelling.evaluation import auc
from analytics.domain.modelling.learners import ModelKind
from analytics.domain.modelling.training import TrainingSpec, fit
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

FULL = 200_000
MIN_ROWS = 4_000
_TEST_SHARE = 0.3

Floats = npt.NDArray[np.float64]


def run(*, scale: float, rounds: int) -> BenchReport:
    """Measure a whole training (split, bins, selection, calibration, figures) of both kinds.

    The baselines learn on the same rows and measure one AUC: quantile bins with a logistic
    regression for the scorecard, the same trees for the boosting.

    Args:
        scale: 1 is 200,000 rows.
    """
    started = time.monotonic()
    table, outcome = planted.whole(max(MIN_ROWS, int(FULL * scale)))
    parts = splits.stratified_split(outcome, share=_TEST_SHARE, seed=planted.SEED)
    bare = {ModelKind.SCORECARD: _bare_bins, ModelKind.BOOSTING: _bare_trees}
    own: dict[ModelKind, list[float]] = {kind: [] for kind in ModelKind}
    theirs: dict[ModelKind, list[float]] = {kind: [] for kind in ModelKind}
    areas: dict[str, float] = {}
    with bench.peak_memory() as peak:
        for _round in range(rounds):
            for kind in ModelKind:
                spec = TrainingSpec(kind=kind, seed=planted.SEED, test_share=_TEST_SHARE)
                model, seconds = _timed(partial(fit, table, outcome, spec))
                learn = partial(bare[kind], table.values, outcome, parts)
                area, bare_seconds = _timed(learn)
                if model.result:
                    areas[f"auc_{kind.value}"] = round(model.result.separation.auc.value, 4)
                areas[f"auc_bare_{kind.value}"] = round(area, 4)
                own[kind].append(seconds)
                theirs[kind].append(bare_seconds)
    ratios = {
        f"ratio_{kind.value}": round(bench.median(own[kind]) / bench.median(theirs[kind]), 3)
        for kind in ModelKind
    }
    return BenchReport(
        name="training",
        scale=scale,
        seconds=time.monotonic() - started,
        ratios=ratios,
        figures={
            "rows": len(outcome),
            "columns": planted.COLUMNS,
            **areas,
            "own_seconds": {kind.value: bench.median(own[kind]) for kind in ModelKind},
            "bare_seconds": {kind.value: bench.median(theirs[kind]) for kind in ModelKind},
            "peak_mb": round(peak[0], 1),
        },
        goals=(
            *(BenchGoal(name, 2.0, at_least=False) for name in ratios),
            BenchGoal("peak_mb", 1500, at_least=False),
        ),
        memory_mb=peak[0],
    )


def _bare_bins(values: Floats, outcome: Floats, parts: tuple[splits.Rows, splits.Rows]) -> float:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - only where it is measured
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - as above
    from sklearn.preprocessing import KBinsDiscretizer  # noqa: PLC0415 - as above

    learned, tested = parts
    model = make_pipeline(
        SimpleImputer(strategy="median"),
        KBinsDiscretizer(n_bins=8, quantile_method="averaged_inverted_cdf", subsample=None),
        LogisticRegression(max_iter=200),
    ).fit(values[learned], outcome[learned])
    return auc(outcome[tested], model.predict_proba(values[tested])[:, 1])


def _bare_trees(values: Floats, outcome: Floats, parts: tuple[splits.Rows, splits.Rows]) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - as above

    learned, tested = parts
    growth = BoostingParameters()
    categories = list(range(planted.COLUMNS - 4, planted.COLUMNS))
    model = HistGradientBoostingClassifier(
        learning_rate=growth.learning_rate,
        max_iter=growth.rounds,
        max_leaf_nodes=growth.max_leaves,
        min_samples_leaf=growth.min_leaf_rows,
        l2_regularization=growth.l2,
        max_features=growth.feature_share,
        categorical_features=categories,
        early_stopping=False,
        random_state=planted.SEED,
    ).fit(values[learned], outcome[learned])
    return auc(outcome[tested], model.predict_proba(values[tested])[:, 1])


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.monotonic()
    found = work()
    return found, time.monotonic() - started
