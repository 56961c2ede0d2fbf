"""What keeps a draft from being submitted: asked by the submission and, all at once, by the page.

One list of checks serves both, so that a page that finds nothing is not contradicted by the button.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from campaigns.domain.campaigns.composing_steps import ComposingStep
from campaigns.models import Campaign
from campaigns.selectors.content import faults as content_faults
from campaigns.selectors.content.faults import TextFinding
from campaigns.services.campaigns import content_tests, fairness, score_use
from customers.selectors.segments.references import SegmentRuleInvalid
from loancrm.kernel.errors import LoanCrmError


class TextsFaulty(LoanCrmError):
    """The texts have faults that somebody has to mend first; facts hold `faults`."""

    code = "campaign_texts_faulty"


@dataclass(frozen=True, slots=True)
class ReadinessProblem:
    """One thing that a check found.

    Attributes:
        step: Where in writing a campaign it is mended.
        what: In words.
        text: The finding, where it is about a text.
    """

    step: ComposingStep
    what: str
    is_blocking: bool = True
    text: TextFinding | None = None


def _require_texts(campaign: Campaign, now: datetime) -> None:
    faults = content_faults.blocking(campaign, now=now)
    if faults:
        raise TextsFaulty(
            _("The texts have faults: %(faults)s") % {"faults": "; ".join(faults)},
            campaign=campaign.slug,
            faults=tuple(faults),
        )


def _require_testable(campaign: Campaign, now: datetime) -> None:
    content_tests.require_testable(campaign)


def _require_scores(campaign: Campaign, now: datetime) -> None:
    score_use.require_usable(score_use.scores_of(campaign, now=now), campaign)


def _require_fair(campaign: Campaign, now: datetime) -> None:
    fairness.require_fair(campaign, now=now)


Check = Callable[[Campaign, datetime], None]
_TEXTS: tuple[ComposingStep, Check] = (ComposingStep.CONTENT, _require_texts)
_OTHERS: Sequence[tuple[ComposingStep, Check]] = (
    (ComposingStep.CONTENT, _require_testable),
    (ComposingStep.AUDIENCE, _require_scores),
    (ComposingStep.AUDIENCE, _require_fair),
)


def require_ready(campaign: Campaign, *, now: datetime) -> None:
    """Refuse a draft that could not be approved, for the first reason that is found.

    Raises:
        TextsFaulty: A text has faults that would stop the approval.
        CampaignRefused: Its test of texts cannot be held.
        ScoreNotUsable: A score that chooses its people may not do so now.
        AudienceUnfair: A model chooses some people too rarely, and no two people agreed to it.
    """
    for _step, check in (_TEXTS, *_OTHERS):
        check(campaign, now)


def problems_of(campaign: Campaign, *, now: datetime) -> list[ReadinessProblem]:
    """Return all that `require_ready` would refuse, and what is only to be looked at."""
    found = [
        ReadinessProblem(
            ComposingStep.CONTENT, str(finding), is_blocking=finding.is_blocking, text=finding
        )
        for finding in content_faults.findings_of(campaign, now=now)
    ]
    for step, check in _OTHERS:
        try:
            check(campaign, now)
        except (LoanCrmError, SegmentRuleInvalid) as error:
            found.append(ReadinessProblem(step, getattr(error, "message", "") or str(error)))
    return found
