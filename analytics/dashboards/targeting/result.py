"""What the page of a targeting shows: choices in words, tiles, charts and tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from analytics.dashboards.cards import Tile
from analytics.dashboards.charts import Chart
from analytics.domain.targeting import planning
from analytics.domain.targeting.problem import CapKind
from analytics.labels.targeting import RANKINGS
from analytics.labels.warning import SEVERITIES
from analytics.models import TargetingRun
from campaigns.domain.campaigns.fairness import LIMIT, FairnessAttribute, GroupFinding
from campaigns.labels.fairness import FAIRNESS_ATTRIBUTES, GROUP_FINDINGS
from campaigns.labels.fairness import group as group_in_words
from campaigns.models import Channel
from customers.labels import score_model
from customers.models import Segment
from loancrm.admin_site import object_url

_ROOM = {"left": 8, "right": 96, "top": 8, "bottom": 8, "containLabel": True}
# Below this share the bound says that nothing worth looking for is left.
_AS_GOOD_AS_BEST = 0.001


def choices(run: TargetingRun) -> list[tuple[str, str]]:
    """Return what was chosen, in words."""
    spec, scores = run.spec, run.spec.get("scores", {})
    slug = spec["whom"].get("segment", "")
    name = Segment.objects.filter(slug=slug).values_list("name", flat=True).first() or slug
    told = [(_("Chosen from"), name or _("Everybody"))]
    uses = {
        "uplift": _("Score of the uplift"),
        "response": _("Score of the response"),
        "pd": _("Score of the default risk (PD)"),
        "complaint": _("Score of a complaint"),
    }
    versions = run.result.get("scores", {})
    told += [
        (label, _score(scores[use], versions.get(scores[use])))
        for use, label in uses.items()
        if scores.get(use)
    ]
    told += [
        (
            offer.get("name") or offer["slug"],
            _(
                "margin ¥%(margin)s, loss given default %(lgd)s%%, exposure ¥%(ead)s,"
                " incentive ¥%(incentive)s"
            )
            % {
                "incentive": f"{offer.get('incentive', 0):,.0f}",
                "margin": f"{offer['margin']:,.0f}",
                "lgd": f"{offer.get('lgd', 0) * 100:g}",
                "ead": f"{offer.get('ead', 0):,.0f}",
            },
        )
        for offer in spec["offers"]
    ]
    if complaint_cost := spec.get("complaint_cost"):
        told.append((_("Cost of a complaint, CNY"), f"¥{complaint_cost:,.2f}"))
    if pd := spec["caps"].get("pd"):
        told.append((_("Default risk at most"), f"{pd * 100:g}%"))
    if alert := spec["caps"].get("alert"):
        told.append((_("Open alert from which nobody is contacted"), str(SEVERITIES.label(alert))))
    return told


def _score(model: str, given: Mapping[str, str] | None) -> str:
    """Return a score by its name, with the version that it was of."""
    if given is None:
        return score_model(model)
    return _("%(score)s, version %(version)s, scored %(time)s") % {
        "score": score_model(model),
        "version": given["version"],
        "time": f"{localtime(datetime.fromisoformat(given['scored_at'])):%Y-%m-%d %H:%M}",
    }


def found(run: TargetingRun) -> dict[str, Any]:
    """Return what a finished targeting shows."""
    result = run.result
    channels = dict(
        Channel.objects.filter(slug__in={one["channel"] for one in result["by_offer"]}).values_list(
            "slug", "name"
        )
    )
    return {
        "result_tiles": _tiles(result),
        "gap": gap_in_words(result),
        "charts": [profits(result["comparison"])],
        "comparison": [
            {**one, "ranking": RANKINGS.label(one["ranking"])} for one in result["comparison"]
        ],
        "caps": [_cap(one, channels) for one in result["caps"]],
        "by_offer": [
            {
                **one,
                "channel": channels.get(one["channel"]) or one["channel"],
                "pays_from": _pays_from(one["pays_from"]),
            }
            for one in result["by_offer"]
        ],
        "left_out": _left_out({**result["left_out"], "gone": result["skipped"]}),
        "segments": _segments(result["segments"], channels),
        "retired": [{**one, "used_by": _(", ").join(one["used_by"])} for one in result["retired"]],
        "fairness": _fairness(result["fairness"]),
        "limit": f"{LIMIT:.2f}",
    }


def _pays_from(conversion: float | None) -> str:
    """Return the conversion from which a contact pays; three digits that say something."""
    return _("never") if conversion is None else f"{conversion * 100:.3g}%"


def gap_in_words(result: Mapping[str, Any]) -> str:
    """Return how far the choice can be from the best one."""
    if result["is_optimal"]:
        return _("This is the best choice there is under these caps; that is proved.")
    gap = {"gap": f"{result['gap'] * 100:.3f}", "bound": f"{result['bound']:,.2f}"}
    if result["gap"] <= _AS_GOOD_AS_BEST:
        return (
            _(
                "No choice under these caps brings more than ¥%(bound)s: this one is within"
                " %(gap)s%% of the best."
            )
            % gap
        )
    return (
        _(
            "No choice under these caps brings more than ¥%(bound)s: this one may fall short of the"
            " best by up to %(gap)s%%."
        )
        % gap
    )


def profits(comparison: Sequence[Mapping[str, Any]]) -> Chart:
    """Return the expected profit of each way of choosing as bars."""
    names = [RANKINGS.label(one["ranking"]) for one in comparison]
    return Chart(
        key="profits",
        title=_("Expected profit under the same caps, CNY"),
        option={
            "tooltip": {"trigger": "item"},
            "grid": _ROOM,
            "xAxis": {"type": "value", "axisLabel": {"hideOverlap": True}},
            "yAxis": {"type": "category", "data": names, "inverse": True},
            "series": [
                {
                    "type": "bar",
                    "data": [round(one["profit"]) for one in comparison],
                    "label": {"show": True, "position": "right", "formatter": "fn:count"},
                }
            ],
        },
        headers=[_("Chosen by"), _("Expected profit, CNY")],
        rows=[[name, f"{one['profit']:,.2f}"] for name, one in zip(names, comparison, strict=True)],
        size="short",
        is_empty=not any(one["people"] for one in comparison),
    )


def _tiles(result: Mapping[str, Any]) -> list[Tile]:
    profit, others = result["profit"], result["comparison"][1:]
    best = max(others, key=lambda one: one["profit"], default=None)
    note = ""
    if best is not None:
        note = _("%(amount)s more than “%(ranking)s”") % {
            "amount": f"¥{profit - best['profit']:,.0f}",
            "ranking": RANKINGS.label(best["ranking"]),
        }
    of_all = _("of %(count)s looked at") % {"count": f"{result['looked_at']:,}"}
    loss = result["comparison"][0]["expected_loss"]
    return [
        Tile(_("Expected profit"), f"¥{profit:,.0f}", note, "savings"),
        Tile(_("People"), f"{result['people']:,}", of_all, "group"),
        Tile(
            _("Expected loss"),
            f"¥{loss:,.0f}",
            _("of those who are expected to take the offer"),
            "trending_down",
        ),
        Tile(_("Short of the best by at most"), f"{result['gap'] * 100:.3f}%", "", "straighten"),
    ]


def _cap(found: Mapping[str, Any], channels: Mapping[str, str]) -> dict[str, Any]:
    is_money = found["kind"] == CapKind.AMOUNT
    used, limit = found["used"], found["limit"]
    is_floor = found["kind"] == CapKind.IMPACT_RATIO

    def written(value: float | None) -> str:
        if value is None:
            return "–"
        if is_money:
            return f"¥{value:,.2f}"
        return f"{value:,.0f}" if found["kind"] == CapKind.PEOPLE else f"{value:.3f}"

    return {
        "name": _cap_name(found["name"], channels),
        "used": written(used),
        "limit": ("≥ " if is_floor else "≤ ") + written(limit),
        "share": 0 if not limit or used is None else round(min(1.0, used / limit) * 100),
        "is_floor": is_floor,
        "holds": found["holds"],
    }


def _cap_name(name: str, channels: Mapping[str, str]) -> str:
    what, _colon, rest = name.partition(":")
    if what == planning.PEOPLE and rest:
        return _("People through “%(name)s”") % {"name": channels.get(rest) or rest}
    if what == "share":
        attribute, _colon, group = rest.partition(":")
        return _("Share of %(attribute)s %(group)s") % {
            "attribute": FAIRNESS_ATTRIBUTES.label(attribute),
            "group": group_in_words(attribute, group),
        }
    if what == "ratio":
        return _("Impact ratio by %(attribute)s") % {"attribute": FAIRNESS_ATTRIBUTES.label(rest)}
    return {
        planning.BUDGET: _("Budget"),
        planning.EXPECTED_LOSS: _("Expected loss"),
        planning.PEOPLE: _("People"),
    }.get(what, name)


def _left_out(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    words = {
        "no_score": _("Without a score that is needed"),
        "alert": _("With an open alert that is grave enough"),
        "pd": _("Above the default risk allowed, or of unknown risk"),
        "sleeping": _("A contact does not help, or does harm"),
        "at_a_loss": _("A contact costs more than it brings"),
        "gone": _("Gone meanwhile"),
    }
    return [(words[key], f"{count:,}") for key, count in counts.items() if count]


def _segments(
    rows: Sequence[Mapping[str, Any]], channels: Mapping[str, str]
) -> list[dict[str, Any]]:
    stored = dict(
        Segment.objects.filter(slug__in=[row["slug"] for row in rows]).values_list("slug", "pk")
    )
    return [
        {
            **row,
            "pk": stored.get(row["slug"]),
            "channel": channels.get(row["channel"]) or row["channel"],
            "url": object_url(Segment(pk=stored[row["slug"]])) if row["slug"] in stored else "",
        }
        for row in rows
    ]


def _fairness(by_attribute: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    return [
        {
            "attribute": FAIRNESS_ATTRIBUTES.label(attribute.value),
            "group": group_in_words(attribute, row["group"]),
            "chosen": row["selected"],
            "size": row["size"],
            "rate": "–" if row["rate"] is None else f"{row['rate'] * 100:.2f}%",
            "ratio": "–" if row["ratio"] is None else f"{row['ratio']:.2f}",
            "interval": ""
            if row["low"] is None
            else _("%(low)s to %(high)s")
            % {"low": f"{row['low']:.2f}", "high": f"{row['high']:.2f}"},
            "finding": GROUP_FINDINGS.label(row["finding"]),
            "tone": GROUP_FINDINGS.tone(row["finding"]),
            "is_unfair": row["finding"] == GroupFinding.UNFAIR,
        }
        for attribute in FairnessAttribute
        for row in by_attribute[attribute.value]
    ]
