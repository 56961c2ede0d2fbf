"""Learn uplift from a file with a group held out by chance, and say what it is worth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics.domain.features import NoUsableFeatureError
from analytics.domain.uplift.evaluation import UpliftEvaluation, evaluate
from analytics.domain.uplift.learners import UpliftModel, learn
from analytics.domain.uplift.reading import TrialColumns, TrialFileError, read_trial
from analytics.domain.uplift.surfaces import UpliftBase
from analytics.domain.uplift.trial import Trial, TrialTooSmallError, split, unbalanced
from analytics.domain.uplift.vocabulary import Learner, TrialProblem
from analytics.labels import uplift as labels
from customers.domain.reading.records import Record
from customers.services.events import from_file
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

DIFFERS = "differs_between_groups"


class TrialRefused(LoanCrmError):
    """A file is no trial with a group held out."""

    code = "trial_refused"


@dataclass(frozen=True, slots=True)
class TrialFile:
    """What was learned from a file, and what that is worth on the part kept back.

    Attributes:
        left_out: {column: why it was not used}.
        unbalanced: {column: z} of those that differ between the groups and were left out for it.
    """

    rows: int
    learned_from: int
    treated_word: str
    features: tuple[str, ...]
    left_out: Mapping[str, str]
    unbalanced: Mapping[str, float]
    model: UpliftModel
    evaluation: UpliftEvaluation


def evaluate_trial_file(
    *,
    path: Path,
    columns: TrialColumns,
    learner: Learner = Learner.X,
    base: UpliftBase = UpliftBase.LOGISTIC,
    test_share: float = 0.3,
    seed: int = 20240601,
    draws: int = 1000,
) -> TrialFile:
    """Learn from one part of a file (of any kind that imports read), measure on the rest.

    Reads nothing of the database. A column that differs between the groups more than chance allows
    was shaped by the treatment, or the groups were not drawn by chance: it is left out, and named,
    unless the columns were chosen by name.

    Args:
        test_share: Share of the people who are measured on.
        seed: Of the split, the trees and the resampling.
        draws: How often people are resampled for the intervals.

    Raises:
        RowsRefused: The file cannot be read as a table.
        TrialRefused: It is no trial; names line and column where one cell is at fault.
    """
    with from_file.opened(path) as records:
        try:
            read = read_trial(_sound(records.rows), columns)
        except TrialFileError as err:
            raise _refused(err) from err
    trial, left_out = read.trial, dict(read.left_out)
    shaped = {} if columns.features else unbalanced(trial)
    left_out |= dict.fromkeys(shaped, DIFFERS)
    trial = trial.without(set(shaped))
    try:
        model, evaluation, count = _measured(trial, learner, base, test_share, seed, draws)
    except TrialTooSmallError as err:
        raise _refused(TrialFileError(TrialProblem.TOO_SMALL)) from err
    except NoUsableFeatureError as err:
        raise _refused(TrialFileError(TrialProblem.NO_FEATURE)) from err
    return TrialFile(
        rows=len(trial.treated),
        learned_from=count,
        treated_word=read.treated_word,
        features=trial.table.names,
        left_out=left_out,
        unbalanced=shaped,
        model=model,
        evaluation=evaluation,
    )


def _measured(
    trial: Trial, learner: Learner, base: UpliftBase, test_share: float, seed: int, draws: int
) -> tuple[UpliftModel, UpliftEvaluation, int]:
    if not trial.table.names:
        raise NoUsableFeatureError
    learned, measured = split(trial, test_share=test_share, seed=seed)
    model = learn(learned, learner, base=base, seed=seed)
    return model, evaluate(model, measured, seed=seed, draws=draws), len(learned.treated)


def _sound(rows: Iterator[Record]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for row in rows:
        if row.flaw:
            raise TrialFileError(TrialProblem.ROW_DAMAGED, line=row.line)
        yield row.line, row


def _refused(error: TrialFileError) -> TrialRefused:
    words = labels.trial_problem(error.problem, column=error.column)
    if error.line:
        words = _("%(reason)s (line %(line)s)") % {"reason": words, "line": error.line}
    return TrialRefused(words, problem=error.problem.value, column=error.column, line=error.line)
