"""Read a targeting from plain JSON, every problem named with its place; and write it again."""

from dataclasses import asdict
from typing import Any

from analytics.domain.targeting.list_names import ambiguous_offers
from analytics.domain.targeting.spec import (
    MOST_CHANNELS,
    MOST_OFFERS,
    MOST_OPTIONS,
    GroupCap,
    ScoreNames,
    SpecCode,
    SpecInvalid,
    SpecProblem,
    SpecReader,
    TargetingCaps,
    TargetingChannel,
    TargetingOffer,
    TargetingSpec,
)
from analytics.domain.warning.rules import Severity
from campaigns.domain.campaigns.fairness import FairnessAttribute

_SCORES = ("response", "uplift", "pd", "complaint")


def parse_spec(data: Any) -> TargetingSpec:
    """Return the targeting that a decoded JSON describes.

    Raises:
        SpecInvalid: With every problem that can be seen without looking at any data.
    """
    problems: list[SpecProblem] = []
    reader = SpecReader(data, "", problems)
    seed = reader.whole("seed", high=2**31 - 1)
    spec = TargetingSpec(
        slug=reader.slug("slug", most=40),
        name=reader.text("name", default="", most=80),
        segment=_whom(reader),
        scores=_scores(reader.inner("scores")),
        offers=tuple(_offer(row) for row in reader.rows("offers", most=MOST_OFFERS)),
        channels=tuple(_channel(row) for row in reader.rows("channels", most=MOST_CHANNELS)),
        caps=_caps(reader.inner("caps")),
        complaint_cost=reader.number("complaint_cost", default=0.0),
        seed=1 if seed is None else seed,
    )
    reader.finish()
    _check(spec, problems)
    if problems:
        raise SpecInvalid(tuple(problems))
    return spec


def spec_to_json(spec: TargetingSpec) -> dict[str, Any]:
    """Return what `parse_spec` reads, complete and without what is not set."""
    content = asdict(spec)
    segment = content.pop("segment")
    content["whom"] = {"segment": segment}
    content["caps"]["fairness"] = [
        {**cap, "attribute": str(cap["attribute"])} for cap in content["caps"]["fairness"]
    ]
    found: dict[str, Any] = _without_nothing(content)
    return found


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nothing(v) for k, v in value.items() if v is not None and v != ""}
    if isinstance(value, list | tuple):
        return [_without_nothing(one) for one in value]
    return value


def _whom(reader: SpecReader) -> str:
    if reader.is_object and "whom" not in reader.data:
        reader.refuse("whom", SpecCode.REQUIRED)
    inner = reader.inner("whom")
    found = inner.slug("segment", default="", most=80)
    inner.finish()
    return found


def _scores(reader: SpecReader) -> ScoreNames:
    found = ScoreNames(**{name: reader.text(name, default="", most=60) for name in _SCORES})
    reader.finish()
    return found


def _offer(reader: SpecReader) -> TargetingOffer:
    slug = reader.slug("slug", most=30)
    found = TargetingOffer(
        slug=slug,
        name=reader.text("name", default=slug, most=80),
        margin=reader.number("margin"),
        lgd=reader.number("lgd", high=1.0, default=0.0),
        ead=reader.number("ead", default=0.0),
        incentive=reader.number("incentive", default=0.0),
        scores=_scores(reader.inner("scores")),
    )
    reader.finish()
    return found


def _channel(reader: SpecReader) -> TargetingChannel:
    found = TargetingChannel(
        channel=reader.slug("channel", most=60),
        parts=reader.whole("parts", low=1, high=20) or 1,
        cost=reader.optional("cost", high=1e6),
        reach=reader.number("reach", high=10.0, default=1.0),
    )
    reader.finish()
    return found


def _caps(reader: SpecReader) -> TargetingCaps:
    channels = reader.inner("per_channel")
    found = TargetingCaps(
        budget=reader.optional("budget", high=1e12),
        people=reader.whole("people"),
        per_channel={
            str(key): count
            for key in channels.data
            if (count := channels.whole(str(key))) is not None
        },
        expected_loss=reader.optional("expected_loss", high=1e12),
        pd=reader.optional("pd", high=1.0),
        alert=_severity(reader),
        fairness=tuple(
            cap
            for row in reader.rows("fairness", most=20, is_needed=False)
            if (cap := _group_cap(row)) is not None
        ),
    )
    reader.finish()
    return found


def _severity(reader: SpecReader) -> Severity | None:
    name = reader.text("alert", default="")
    if name and name not in set(Severity):
        reader.refuse("alert", SpecCode.ONE_OF, ", ".join(Severity))
        return None
    return Severity(name) if name else None


def _group_cap(reader: SpecReader) -> GroupCap | None:
    name = reader.text("attribute")
    ratio = reader.optional("min_impact_ratio", high=1.0)
    group, share = reader.text("group", default=""), reader.optional("max_share", high=1.0)
    reader.finish()
    if name not in set(FairnessAttribute):
        if name:
            reader.refuse("attribute", SpecCode.ONE_OF, ", ".join(FairnessAttribute))
        return None
    if ratio is None and (share is None or not group):
        reader.refuse("min_impact_ratio" if not group else "max_share", SpecCode.REQUIRED)
        return None
    return GroupCap(FairnessAttribute(name), ratio, group, share)


def _check(spec: TargetingSpec, problems: list[SpecProblem]) -> None:
    """Note what single values do not show."""
    problems += _repeated("offers", [offer.slug for offer in spec.offers])
    problems += _repeated("channels", [channel.channel for channel in spec.channels])
    if len(spec.options) > MOST_OPTIONS:
        problems.append(SpecProblem("channels", SpecCode.TOO_MANY, str(MOST_OPTIONS)))
    problems += [
        SpecProblem(f"offers[{at}].slug", SpecCode.REPEATED, spec.offers[at].slug)
        for at in ambiguous_offers(spec)
    ]
    for place, offer in enumerate(spec.offers):
        problems += _offer_problems(spec, f"offers[{place}]", offer)
    problems += _cap_problems(spec)


def _repeated(key: str, names: list[str]) -> list[SpecProblem]:
    return [
        SpecProblem(f"{key}[{place}]", SpecCode.REPEATED, name)
        for place, name in enumerate(names)
        if name and name in names[:place]
    ]


def _offer_problems(spec: TargetingSpec, path: str, offer: TargetingOffer) -> list[SpecProblem]:
    found = []
    scores = offer.scores.over(spec.scores)
    if scores.conversion and not scores.response and spec.counts_response(offer):
        # The uplift leaves out those who would have come anyway, and they cost it, too.
        found.append(SpecProblem("scores.response", SpecCode.RESPONSE_EXPECTED, offer.name))
    if not scores.conversion:
        found.append(SpecProblem("scores.uplift", SpecCode.SCORE_EXPECTED, offer.slug))
    if not scores.pd and offer.lgd and offer.ead:
        found.append(SpecProblem(f"{path}.lgd", SpecCode.PD_EXPECTED, offer.slug))
    return found


def _cap_problems(spec: TargetingSpec) -> list[SpecProblem]:
    found = []
    if spec.caps.pd is not None and not spec.scores.pd:
        found.append(SpecProblem("caps.pd", SpecCode.PD_EXPECTED))
    known = {channel.channel for channel in spec.channels}
    allowed = ", ".join(sorted(known))
    found += [
        SpecProblem(f"caps.per_channel.{name}", SpecCode.ONE_OF, allowed)
        for name in spec.caps.per_channel
        if name not in known
    ]
    return found
