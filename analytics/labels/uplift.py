"""How learners of uplift, their verdicts and faults of trials are read."""

from django.utils.translation import gettext_lazy

from analytics.domain.uplift.surfaces import UpliftBase
from analytics.domain.uplift.vocabulary import Learner, RankingVerdict, TrialProblem
from loancrm.kernel.words.phrases import worded
from loancrm.kernel.words.vocabulary import Term, Vocabulary

LEARNERS = Vocabulary(
    Learner,
    {
        Learner.T: Term(
            gettext_lazy("Two models (T)"),
            hint=gettext_lazy(
                "One model with the treatment, one without; uplift is the difference."
            ),
        ),
        Learner.X: Term(
            gettext_lazy("Crossed models (X)"),
            hint=gettext_lazy(
                "Learns the effect from each group with the other's model; good where one is small."
            ),
        ),
        Learner.CLASS_TRANSFORMATION: Term(
            gettext_lazy("One model of a transformed outcome"),
            hint=gettext_lazy("Learns who did as their group would suggest."),
        ),
    },
)
UPLIFT_BASES = Vocabulary(
    UpliftBase,
    {
        UpliftBase.LOGISTIC: gettext_lazy("logistic regressions"),
        UpliftBase.BOOSTING: gettext_lazy("boosted trees"),
    },
)
RANKING_VERDICTS = Vocabulary(
    RankingVerdict,
    {
        RankingVerdict.USABLE: Term(
            gettext_lazy("The ranking finds people whom the treatment moves"), tone="good"
        ),
        RankingVerdict.NO_USABLE_RANKING: Term(
            gettext_lazy("No usable ranking"),
            tone="warn",
            hint=gettext_lazy(
                "The interval includes zero: choosing by it is as good as drawing by lot."
            ),
        ),
    },
)
TRIAL_PROBLEMS = Vocabulary(
    TrialProblem,
    {
        TrialProblem.NO_ROWS: gettext_lazy("The file has no rows."),
        TrialProblem.ROW_DAMAGED: gettext_lazy("A row is damaged."),
        TrialProblem.COLUMN_MISSING: gettext_lazy("There is no column %(column)s."),
        TrialProblem.COLUMN_TWICE: gettext_lazy(
            "The column %(column)s cannot be treatment and outcome at once."
        ),
        TrialProblem.CELL_EMPTY: gettext_lazy("The column %(column)s has an empty cell."),
        TrialProblem.NOT_TWO_WORDS: gettext_lazy(
            "The column %(column)s has more than two different values."
        ),
        TrialProblem.UNCLEAR_WHICH: gettext_lazy(
            "Which value of the column %(column)s means yes is not plain; name it."
        ),
        TrialProblem.WORD_UNKNOWN: gettext_lazy(
            "No row of the column %(column)s has the value that was named."
        ),
        TrialProblem.ONE_GROUP: gettext_lazy(
            "The column %(column)s has the same value throughout."
        ),
        TrialProblem.NO_FEATURE: gettext_lazy("There is no column left to learn from."),
        TrialProblem.TOO_SMALL: gettext_lazy(
            "Too few people: both groups need at least two with the outcome and two without."
        ),
    },
)


def trial_problem(problem: TrialProblem, *, column: str) -> str:
    """Return in words why a file is no trial."""
    return worded(TRIAL_PROBLEMS[problem].label) % {"column": column}
