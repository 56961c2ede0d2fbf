"""The check before a campaign goes out: may the scores that choose its people do so now?"""

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from campaigns.models import Campaign
from campaigns.selectors.campaigns.audience import exclusions
from campaigns.selectors.campaigns.used_scores import ScoreUse, used_scores
from customers import labels as customer_labels
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import Phrase
from loancrm.kernel.words.phrases import gettext as _


class ScoreNotUsable(LoanCrmError):
    """A score that is to choose people is stale, halted, retired or not for marketing."""

    code = "score_not_usable"


def scores_of(campaign: Campaign, *, now: datetime) -> list[ScoreUse]:
    """Return the models that choose the campaign's people now, or leave some of them out.

    Raises:
        SegmentRuleInvalid: The segment's rule no longer fits the catalogue.
    """
    version = campaign.segment.current_version if campaign.segment else None
    left_out = exclusions.versions_of(campaign).values()
    rules = [row.rule for row in (version, *left_out) if row is not None]
    found = {use.model_name: use for rule in rules for use in used_scores(rule, now=now)}
    return list(found.values())


def require_usable(uses: list[ScoreUse], campaign: Campaign | None = None) -> list[ScoreUse]:
    """Refuse scores of which one may not choose anybody; return them otherwise.

    Args:
        campaign: Whose people they choose; None where they make a list that no campaign has yet.

    Raises:
        ScoreNotUsable: With the scores and why.
    """
    bad = [use for use in uses if use.fault is not None]
    if bad:
        raise ScoreNotUsable(
            _("A score may not choose people now: %(scores)s. See “Models”.")
            % {"scores": _in_words(bad)},
            **({} if campaign is None else {"campaign": campaign.slug}),
            scores=[(use.model_name, use.fault.value if use.fault else "") for use in bad],
        )
    return uses


def _in_words(bad: list[ScoreUse]) -> Phrase:
    """Return the scores and what bars each, for whoever reads it."""
    told = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            told[code] = gettext("; ").join(
                gettext("%(score)s (version %(version)s): %(why)s")
                % {
                    "score": customer_labels.score_model(use.model_name),
                    "version": use.standing.version if use.standing else "",
                    "why": customer_labels.SCORE_FAULTS.label(use.fault or ""),
                }
                for use in bad
            )
    return Phrase.of(told)


def audit_facts(uses: list[ScoreUse]) -> dict[str, object]:
    """Return what the entry of a submission or launch tells: the version of each score."""
    versions = {use.model_name: use.standing.version for use in uses if use.standing}
    return {"score_versions": versions} if versions else {}
