"""How rankings, states and faults of targetings are read."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.domain.targeting.rankings import Ranking
from analytics.domain.targeting.spec import SpecCode, SpecProblem
from loancrm.kernel.models import WorkState
from loancrm.kernel.words.vocabulary import Term, Vocabulary
from loancrm.kernel.work import labels as work_labels

TARGETING_STATES = Vocabulary(WorkState, {**work_labels.STATES})
RANKINGS = Vocabulary(
    Ranking,
    {
        Ranking.PROFIT: Term(gettext_lazy("Expected profit"), icon="ads_click"),
        Ranking.RESPONSE: gettext_lazy("Likeliest response first"),
        Ranking.RISK: gettext_lazy("Lowest default risk first"),
        Ranking.RANDOM: gettext_lazy("At random"),
    },
)
SPEC_PROBLEMS = Vocabulary(
    SpecCode,
    {
        SpecCode.REQUIRED: gettext_lazy("is missing"),
        SpecCode.OBJECT_EXPECTED: gettext_lazy("an object is expected"),
        SpecCode.LIST_EXPECTED: gettext_lazy("a list is expected"),
        SpecCode.TEXT_EXPECTED: gettext_lazy("a text of at most %(limit)s characters is expected"),
        SpecCode.SLUG_EXPECTED: gettext_lazy(
            "a short name of letters, digits and hyphens is expected"
        ),
        SpecCode.NUMBER_EXPECTED: gettext_lazy("a number is expected"),
        SpecCode.WHOLE_EXPECTED: gettext_lazy("a whole number is expected"),
        SpecCode.OUT_OF_RANGE: gettext_lazy("must lie within %(limit)s"),
        SpecCode.ONE_OF: gettext_lazy("must be one of %(limit)s"),
        SpecCode.UNKNOWN_KEY: gettext_lazy("is not known"),
        SpecCode.REPEATED: gettext_lazy("“%(limit)s” is named twice"),
        SpecCode.TOO_MANY: gettext_lazy("at most %(limit)s"),
        SpecCode.SCORE_EXPECTED: gettext_lazy(
            "name the score of the uplift, or of the response (for “%(limit)s”)"
        ),
        SpecCode.RESPONSE_EXPECTED: gettext_lazy(
            "name the score of the response, too: an incentive and a loss also come from those who"
            " would have come anyway (for “%(limit)s”)"
        ),
        SpecCode.COST_EXPECTED: gettext_lazy(
            "“%(limit)s” is no channel of the house: say what a contact costs"
        ),
        SpecCode.PD_EXPECTED: gettext_lazy("name the score of the default risk (scores.pd)"),
        SpecCode.NO_SEGMENT: gettext_lazy("there is no segment “%(limit)s”"),
        SpecCode.NO_SCORE: gettext_lazy("no model “%(limit)s” has scored anybody"),
        SpecCode.SCORE_NO_SHARE: gettext_lazy(
            "the scores of “%(limit)s” are no probabilities between 0 and 1"
        ),
        SpecCode.SCORE_NO_CHANGE: gettext_lazy(
            "the scores of “%(limit)s” are no changes of a probability, between -1 and 1"
        ),
        SpecCode.LIST_TAKEN: gettext_lazy(
            "the list “%(limit)s” belongs to something else; choose another short name"
        ),
    },
)


def spec_problems(found: Iterable[SpecProblem]) -> str:
    """Return what is wrong with a targeting's description: every place with its reason."""
    return _("; ").join(
        _("%(where)s: %(what)s")
        % {"where": one.path, "what": SPEC_PROBLEMS.label(one.code) % {"limit": one.limit}}
        for one in found
    )
