"""A targeting's description against what there is: every problem with its place, in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from analytics.domain.targeting.list_names import list_slug, lists_of
from analytics.domain.targeting.spec import (
    SpecCode,
    SpecInvalid,
    SpecProblem,
    TargetingSpec,
)
from analytics.domain.targeting.spec_reading import parse_spec
from analytics.labels import targeting as labels
from analytics.models import TargetingList
from analytics.selectors.targeting import people as people_selector
from campaigns.models import Channel
from campaigns.selectors.campaigns.used_scores import uses_of
from campaigns.services.campaigns import score_use
from customers.models import Segment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import Phrase
from loancrm.kernel.words.phrases import gettext as _

# The lowest and highest score of a use, and what is wrong with others.
_USES: Mapping[str, tuple[float, float, SpecCode]] = {
    "response": (0, 1, SpecCode.SCORE_NO_SHARE),
    "uplift": (-1, 1, SpecCode.SCORE_NO_CHANGE),
    "pd": (0, 1, SpecCode.SCORE_NO_SHARE),
    "complaint": (0, 1, SpecCode.SCORE_NO_SHARE),
}


class TargetingRefused(LoanCrmError):
    """The description of a targeting cannot be used; facts hold `problems`."""

    code = "targeting_invalid"


class TargetingEmpty(LoanCrmError):
    """There is nobody to choose from."""

    code = "targeting_empty"


class TargetingSuperseded(LoanCrmError):
    """A later targeting of the same short name has written its lists already."""

    code = "targeting_superseded"


class TargetingFailed(LoanCrmError):
    """A targeting that a command waited for came to no result."""

    code = "targeting_failed"


def read_spec(data: Any, *, now: datetime) -> TargetingSpec:
    """Return the targeting that a decoded JSON describes, checked against segments and scores.

    Raises:
        TargetingRefused: With every problem, its path and its reason.
        ScoreNotUsable: A score may not choose people now.
    """
    try:
        spec = parse_spec(data)
    except SpecInvalid as error:
        raise refused(error.problems) from error
    if problems := _missing(spec):
        raise refused(problems)
    require_usable_scores(spec, now=now)
    return spec


def require_usable_scores(spec: TargetingSpec, *, now: datetime) -> None:
    """Refuse scores that are stale, halted, retired, a challenger's or for risk only.

    Raises:
        ScoreNotUsable: With the scores and why.
    """
    score_use.require_usable(uses_of(spec.score_models, now=now))


def refused(problems: Sequence[SpecProblem]) -> TargetingRefused:
    """Return the refusal that names every problem."""
    told = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            told[code] = labels.spec_problems(problems)
    return TargetingRefused(
        _("The targeting cannot be used: %(problems)s") % {"problems": Phrase.of(told)},
        problems=[
            {"path": one.path, "code": one.code.value, "limit": one.limit} for one in problems
        ],
    )


def contact_costs(spec: TargetingSpec) -> list[float]:
    """Return what a contact costs in CNY, one a channel: the given cost, or parts x the price."""
    prices = _prices(spec)
    return [
        one.cost if one.cost is not None else one.parts * prices[one.channel]
        for one in spec.channels
    ]


def foreign_lists(spec: TargetingSpec) -> list[SpecProblem]:
    """Return the lists that would be written over though something else made them (2 queries).

    A targeting follows the lists of its own short name, offers and channels; a list that somebody
    made by hand, or another targeting under a name that reads the same, stays theirs.
    """
    wanted = {list_slug(spec.slug, *one): one for one in lists_of(spec)}
    segments = Segment.objects.filter(slug__in=wanted).order_by("slug")
    owners = TargetingList.objects.in_bulk(
        [segment.pk for segment in segments], field_name="segment_id"
    )
    places = {offer.slug: at for at, offer in enumerate(spec.offers)}
    found = []
    for segment in segments:
        offer, channel = wanted[segment.slug]
        own = owners.get(segment.pk)
        is_own = own and (own.targeting, own.offer, own.channel) == (spec.slug, offer, channel)
        if not is_own:
            path = f"offers[{places[offer]}].slug"
            found.append(SpecProblem(path, SpecCode.LIST_TAKEN, segment.name))
    return found


def _prices(spec: TargetingSpec) -> dict[str, float]:
    rows = Channel.objects.filter(slug__in=[one.channel for one in spec.channels])
    return {slug: float(price) for slug, price in rows.values_list("slug", "cost_per_part")}


def _missing(spec: TargetingSpec) -> list[SpecProblem]:
    found: list[SpecProblem] = []
    if spec.segment:
        segments = Segment.objects.filter(slug=spec.segment, current_version__isnull=False)
        if not segments.exists():
            found.append(SpecProblem("whom.segment", SpecCode.NO_SEGMENT, spec.segment))
    found += _score_problems(spec)
    prices = _prices(spec)
    for at, channel in enumerate(spec.channels):
        if channel.cost is None and channel.channel not in prices:
            path = f"channels[{at}].cost"
            found.append(SpecProblem(path, SpecCode.COST_EXPECTED, channel.channel))
    return found + foreign_lists(spec)


def _score_problems(spec: TargetingSpec) -> list[SpecProblem]:
    """Return the models that scored nobody, or whose scores are not what they are used as."""
    ranges = people_selector.score_ranges(spec.score_models)
    named = [("scores", spec.scores)]
    named += [(f"offers[{at}].scores", offer.scores) for at, offer in enumerate(spec.offers)]
    found = []
    for path, scores in named:
        for use, (lowest, highest, code) in _USES.items():
            model = getattr(scores, use)
            if model and model not in ranges:
                found.append(SpecProblem(f"{path}.{use}", SpecCode.NO_SCORE, model))
            elif model and not lowest <= ranges[model][0] <= ranges[model][1] <= highest:
                # Points of a scorecard, say, or per cent: profits of millions would follow.
                found.append(SpecProblem(f"{path}.{use}", code, model))
    return found
