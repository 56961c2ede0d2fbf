"""How a description that is not usable is refused: every problem with its place, in words."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.domain.campaigns.given.problems import ValueProblem
from campaigns.labels import problems as problem_labels
from loancrm.kernel.errors import LoanCrmError


class CampaignRefused(LoanCrmError):
    """The description of a campaign is not usable; facts hold `problems`."""

    code = "campaign_invalid"


def refused(problems: Sequence[ValueProblem]) -> CampaignRefused:
    """Return the refusal that names every problem in the language of the reader."""
    listed = "; ".join(
        _("%(where)s: %(what)s")
        % {"where": problem_labels.place(problem.path), "what": problem_labels.problem(problem)}
        for problem in problems
    )
    return CampaignRefused(
        _("The campaign cannot be stored: %(problems)s") % {"problems": listed},
        problems=[(problem.path, problem.code.value) for problem in problems],
    )
