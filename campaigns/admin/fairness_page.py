"""The check of fairness before a launch: table, picture, and what two people agreed to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.admin.audience import dry_run_page
from campaigns.domain.campaigns.fairness import (
    FairnessAttribute,
    FairnessReport,
    GroupFinding,
    ImpactRatio,
    UnfairGroup,
)
from campaigns.labels import fairness as fairness_labels
from campaigns.models import Campaign, FairnessOverride
from campaigns.services.campaigns import approval, fairness, fairness_overrides
from customers.selectors.segments.references import SegmentRuleInvalid
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor

# The picture: the ratio 0 is at the left, 1.5 at the right; a line a group.
_WIDTH, _NAMES, _LINE, _MOST = 640, 190, 24, 1.5
_COLOURS = {GroupFinding.UNFAIR: "#dc2626", GroupFinding.DOUBTFUL: "#d97706"}


@dataclass(frozen=True, slots=True)
class RatioMark:
    """One line of the picture, in its own units."""

    name: str
    y: int
    low: float
    at: float
    high: float
    colour: str
    text: str


def addresses(wrap: Callable[..., Any]) -> list[URLPattern]:
    """Return the addresses of the check, below those of campaigns."""
    return [
        path("<int:pk>/dry-run/", wrap(dry_run_page.dry_run), name="campaigns_campaign_dry_run"),
        path("<int:pk>/fairness/", wrap(show), name="campaigns_campaign_fairness"),
        path(
            "<int:pk>/fairness/override/",
            wrap(request_override),
            name="campaigns_campaign_fairness_override",
        ),
        path(
            "<int:pk>/fairness/<int:override_id>/confirm/",
            wrap(confirm_override),
            name="campaigns_campaign_fairness_confirm",
        ),
    ]


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how the audience stands to the people it was chosen from."""
    campaign = get_object_or_404(Campaign.objects.select_related("segment__current_version"), pk=pk)
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    actor = admin_pages.actor_of(request)
    found: FairnessReport | None = None
    error = ""
    try:
        found = fairness.fairness_of(campaign=campaign, actor=actor, now=clock.now())
    except SegmentRuleInvalid as refusal:
        error = refusal.message
    blocking = [] if found is None else fairness.not_agreed(campaign, found)
    return admin_pages.page(
        request,
        "campaigns/fairness.html",
        title=_("Fairness of “%(name)s”") % {"name": campaign.name},
        campaign=campaign,
        campaign_url=object_url(campaign),
        error=error,
        blocking=fairness_labels.groups(blocking),
        overrides=_overrides(campaign, actor),
        may_request=access.is_allowed(actor, fairness_overrides.REQUESTS, campaign),
        **({} if found is None else _figures(found)),
    )


def _figures(found: FairnessReport) -> dict[str, Any]:
    marks = _marks(found)
    return {
        "report": found,
        "rows": ratio_rows(found),
        "differences": _differences(found),
        "limit": f"{found.limit:.2f}",
        "lowest": [
            (fairness_labels.FAIRNESS_ATTRIBUTES.label(attribute), f"{ratio:.2f}")
            for attribute, ratio in found.parity.items()
            if ratio is not None
        ],
        "marks": marks,
        "picture": {
            "width": _WIDTH,
            "height": _LINE * len(marks) + 24,
            "limit": _x(found.limit),
            "one": _x(1.0),
        },
    }


def _overrides(campaign: Campaign, actor: Actor) -> list[dict[str, Any]]:
    """Return what was asked for, newest first, and whether this reader may agree to it."""
    rows = campaign.fairness_overrides.select_related("requested_by", "confirmed_by")
    version = fairness.rule_of(campaign)
    version_id = version.pk if version else None
    is_second = (
        actor.user is not None
        and access.is_allowed(actor, fairness_overrides.CONFIRMS, campaign)
        and not approval.is_barred(campaign, actor.user)
    )
    return [
        {
            "row": row,
            "groups": fairness_labels.groups(
                UnfairGroup(FairnessAttribute(one["attribute"]), one["group"], one["ratio"])
                for one in row.groups
            ),
            "is_of_this_rule": row.segment_version_id == version_id,
            "may_confirm": is_second
            and row.confirmed_at is None
            and row.segment_version_id == version_id
            and str(row.requested_by_id) != actor.id,
        }
        for row in rows.order_by("-requested_at", "-pk")
    ]


@require_POST
def request_override(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why the campaign should pass."""
    campaign = get_object_or_404(Campaign.objects.select_related("segment__current_version"), pk=pk)
    with admin_pages.attempt(request, _("The reason is kept. A second person has to agree.")):
        fairness_overrides.request_override(
            campaign=campaign,
            reason=request.POST.get("reason", ""),
            actor=admin_pages.actor_of(request),
            now=clock.now(),
        )
    return _back(campaign)


@require_POST
def confirm_override(request: HttpRequest, pk: int, override_id: int) -> HttpResponse:
    """Agree as the second person."""
    campaign = get_object_or_404(Campaign, pk=pk)
    row = get_object_or_404(FairnessOverride, pk=override_id, campaign=campaign)
    with admin_pages.attempt(request, _("You agreed: the campaign passes the check.")):
        fairness_overrides.confirm_override(
            override_id=row.pk, actor=admin_pages.actor_of(request), now=clock.now()
        )
    return _back(campaign)


def ratio_rows(found: FairnessReport) -> list[dict[str, Any]]:
    """Return the impact ratios as the cells of a table."""
    return [
        {
            "attribute": fairness_labels.FAIRNESS_ATTRIBUTES.label(attribute),
            "group": fairness_labels.group(attribute, one.group),
            "chosen": one.selected,
            "size": one.size,
            "rate": "–" if one.rate is None else f"{one.rate * 100:.2f}%",
            "ratio": "–" if one.ratio is None else f"{one.ratio:.2f}",
            "interval": ""
            if one.low is None or one.high is None
            else _("%(low)s to %(high)s") % {"low": f"{one.low:.2f}", "high": f"{one.high:.2f}"},
            "finding": fairness_labels.GROUP_FINDINGS.label(one.finding),
            "tone": fairness_labels.GROUP_FINDINGS.tone(one.finding),
        }
        for attribute, rows in found.ratios.items()
        for one in rows
    ]


def _differences(found: FairnessReport) -> list[dict[str, str]]:
    return [
        {
            "model": model,
            "attribute": fairness_labels.FAIRNESS_ATTRIBUTES.label(attribute),
            "group": fairness_labels.group(attribute, one.group),
            "value": f"{one.value:+.3f}",
            "interval": _("%(low)s to %(high)s")
            % {"low": f"{one.low:+.3f}", "high": f"{one.high:+.3f}"},
        }
        for model, by_attribute in found.differences.items()
        for attribute, rows in by_attribute.items()
        for one in rows
        if one.value is not None and one.low is not None and one.high is not None
    ]


def _marks(found: FairnessReport) -> Sequence[RatioMark]:
    judged: list[tuple[FairnessAttribute, ImpactRatio]] = [
        (attribute, one)
        for attribute, rows in found.ratios.items()
        for one in rows
        if one.ratio is not None or one.finding is GroupFinding.REFERENCE
    ]
    marks = []
    for place, (attribute, one) in enumerate(judged):
        ratio = 1.0 if one.ratio is None else one.ratio
        marks.append(
            RatioMark(
                name=f"{fairness_labels.FAIRNESS_ATTRIBUTES.label(attribute)} · "
                f"{fairness_labels.group(attribute, one.group)}",
                y=_LINE * place + _LINE // 2,
                low=_x(ratio if one.low is None else one.low),
                at=_x(ratio),
                high=_x(ratio if one.high is None else one.high),
                colour=_COLOURS.get(one.finding, "currentColor"),
                text=f"{ratio:.2f}",
            )
        )
    return marks


def _x(ratio: float) -> float:
    return round(_NAMES + min(max(ratio, 0.0), _MOST) / _MOST * (_WIDTH - _NAMES - 16), 1)


def _back(campaign: Campaign) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:campaigns_campaign_fairness", args=[campaign.pk]))
