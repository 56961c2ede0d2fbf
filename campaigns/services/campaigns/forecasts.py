"""What a launch would do, asked before anybody launches: the gates' own answers, in numbers.

Nothing is written. Everybody is asked about up to a bound; of larger audiences a sample, whose size
is told with the numbers.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F

from campaigns.domain.content import sms_parts
from campaigns.domain.content import texts as content
from campaigns.domain.content.texts import CompiledEmail, CompiledSms
from campaigns.domain.experiments import assignment
from campaigns.domain.experiments.assignment import Arm
from campaigns.domain.sending import schedule
from campaigns.domain.sending.eligibility import MessagePlan, SkipReason, Verdict, decide
from campaigns.models import Campaign, Channel, ContentVersion, Step
from campaigns.selectors.campaigns import expected_power
from campaigns.selectors.campaigns.expected_power import CampaignPower
from campaigns.selectors.content import current_texts
from campaigns.selectors.content.constants import constants
from campaigns.selectors.sending import contact_facts
from campaigns.selectors.sending.contact_facts import Recipient
from campaigns.services.campaigns import plans
from campaigns.services.campaigns.rehearsal import dry_runs
from campaigns.services.campaigns.rehearsal.dry_runs import LaunchCourse
from campaigns.services.sending.composing import BUILT_IN, FALLBACK_LANGUAGE
from customers.domain.consents.consent import Purpose
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.texts.survey import TemplateRefused
from loancrm.kernel.texts.templates import MissingVariable, OutputTooLong, RenderFailed

ASKED_AT_MOST = 20_000
SAMPLE_SIZE = 10_000
_PAGE = 500
_OF_EVERY_MESSAGE = frozenset({"title", "unsubscribe_url", "preferences_url", "campaign_name"})
_OF_THE_NAME = frozenset({"name", "first_name", "last_name"})


@dataclass(frozen=True, slots=True)
class Forecast:
    """People by what would become of them; skipped, held out and to be sent add up to the audience.

    Attributes:
        segment: Whom the segment chooses: the audience and those whom exclusions leave out.
        excluded: How many each exclusion leaves out.
        parts: Of the first message to all of them, with example values in the texts.
        asked: People whom the gates were asked about; fewer than the audience for a sample.
        waiting: Of those to be sent to, who wait for the end of quiet hours first.
        cost: Of the first message to all of them, in CNY, with example values in the texts.
        is_late: The start lies further back than the campaign allows: it would be held.
        has_cap: Some frequency rule limits how often the channel writes to one person.
        affordable: How many of them the budget pays for, where it does not pay for all.
        ends_at: None where the channel has no rate, so that the provider alone sets the pace.
    """

    audience: int
    asked: int
    skipped: Mapping[str, int]
    held_out: int
    to_send: int
    waiting: int
    cost: Decimal
    starts_at: datetime
    ends_at: datetime | None
    is_late: bool = False
    has_cap: bool = True
    affordable: int | None = None
    channel: str = ""
    fallback_channel: str = ""
    power: CampaignPower | None = None
    segment: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    parts: int = 0

    @property
    def is_sample(self) -> bool:
        """Return whether the numbers are drawn from a part of the audience."""
        return self.asked < self.audience


@dataclass(frozen=True, slots=True)
class _ForecastText:
    needs: frozenset[str]
    parts: int


@dataclass(slots=True)
class _ForecastCounts:
    skipped: Counter[str] = field(default_factory=Counter)
    held_out: int = 0
    to_send: int = 0
    waiting: int = 0
    parts: int = 0


def forecast(*, campaign: Campaign, actor: Actor, now: datetime) -> Forecast:
    """Return what a launch at this moment would do.

    Raises:
        CampaignNotReady: The campaign has no segment or no message.
        PermissionRefused: The actor may not see the campaign.
    """
    access.require(actor, "campaigns.view_campaign", campaign)
    course = dry_runs.course_of(campaign, now=now)
    people, excluded = course.audience.people, course.audience.excluded
    audience = people.count()
    ids = _ids(people, audience)
    found = _scaled(course, _ask(course, ids), audience=audience, asked=len(ids))
    power = expected_power.of_campaign(
        campaign,
        people=people,
        audience=audience,
        to_send=found.to_send,
        held_out=found.held_out,
        now=now,
    )
    return replace(
        found,
        power=power,
        segment=audience + sum(excluded.values()),
        excluded=excluded,
        fallback_channel=_fallback(course),
    )


def _fallback(course: LaunchCourse) -> str:
    """Return the channel that writes to whom the first message does not reach."""
    steps = course.campaign.steps.select_related("touchpoint__channel")
    after = steps.filter(position__gt=course.step.position).order_by("position").first()
    channel = after.channel if after is not None and after.is_fallback else None
    return (channel.name or channel.slug) if channel else ""


def _ids(people: Any, audience: int) -> list[int]:
    if audience > ASKED_AT_MOST:
        people = people.alias(rest=F("pk") % (audience // SAMPLE_SIZE)).filter(rest=0)
    return list(people.values_list("pk", flat=True))


def _ask(course: LaunchCourse, ids: Sequence[int]) -> _ForecastCounts:
    campaign, step, plan, at = course.campaign, course.step, course.plan, course.starts_at
    texts = _texts(campaign, step, course.channel)
    arms = [Arm(row.key, row.weight) for row in step.touchpoint.variants.order_by("key")]
    names = frozenset().union(*(text.needs for text in texts.values())) if texts else frozenset()
    counts = _ForecastCounts()
    for recipient in _people(ids, plan, at, sorted(names - BUILT_IN)):
        decision = decide(recipient.facts, plan, at)
        if decision.verdict is Verdict.SKIP:
            counts.skipped[str(decision.reason)] += 1
            continue
        if decision.verdict is Verdict.HOLD_OUT or assignment.is_held_out(
            campaign.experiment_salt, recipient.customer_id, campaign.holdout_share
        ):
            counts.held_out += 1
            continue
        variant = assignment.assign(campaign.experiment_salt, recipient.customer_id, arms)
        text = _text_for(texts, variant, recipient.language)
        if text is None or text.needs - _known(recipient):
            reason = SkipReason.NO_CONTENT if text is None else SkipReason.MISSING_VARIABLE
            counts.skipped[str(reason)] += 1
            continue
        counts.to_send += 1
        counts.waiting += decision.verdict is Verdict.DEFER
        counts.parts += text.parts
    return counts


def _people(
    ids: Sequence[int], plan: MessagePlan, at: datetime, names: Sequence[str]
) -> Iterator[Recipient]:
    for first in range(0, len(ids), _PAGE):
        yield from contact_facts.load_prospects(
            customer_ids=ids[first : first + _PAGE], plan=plan, now=at, attribute_names=names
        )


def _known(recipient: Recipient) -> frozenset[str]:
    known = {name for name, value in recipient.attributes.items() if value not in (None, "")}
    if recipient.name is not None:
        known |= _OF_THE_NAME
    if recipient.city:
        known.add("city")
    if recipient.province:
        known.add("province")
    return frozenset(known)


def _text_for(
    texts: Mapping[tuple[str, str], _ForecastText], variant: str, language: str
) -> _ForecastText | None:
    """Return the text that a person gets, chosen as the composer chooses it."""
    for locale in (language, FALLBACK_LANGUAGE):
        if (variant, locale) in texts:
            return texts[variant, locale]
    return next((text for (key, _locale), text in texts.items() if key == variant), None)


def _texts(
    campaign: Campaign, step: Step, channel: Channel
) -> dict[tuple[str, str], _ForecastText]:
    found: dict[tuple[str, str], _ForecastText] = {}
    for text in current_texts.of_touchpoint(step.touchpoint):
        row, key = text.written, text.variant.key
        try:
            compiled = _compiled(row, channel)
        except TemplateRefused:
            # The page says so beside the text; a draft's numbers are told all the same.
            found[key, row.locale] = _ForecastText(frozenset(), 1)
            continue
        fixed = constants(campaign.name, compiled.variables, language=row.locale)
        needs = frozenset(
            name
            for name in compiled.required - fixed.keys() - _OF_EVERY_MESSAGE
            if not name.startswith("link_")
        )
        parts = _parts(compiled, campaign, channel, fixed)
        found[key, row.locale] = _ForecastText(needs, parts)
    return found


def _compiled(row: ContentVersion, channel: Channel) -> CompiledEmail | CompiledSms:
    if channel.kind == "email":
        return content.compile_email(
            subject=row.subject, text=row.text, html=row.html, language=row.locale
        )
    return content.compile_sms(text=row.text, language=row.locale)


def _parts(
    compiled: CompiledEmail | CompiledSms,
    campaign: Campaign,
    channel: Channel,
    fixed: Mapping[str, Any],
) -> int:
    if isinstance(compiled, CompiledEmail):
        return 1
    links = {
        f"link_{number}": "https://example.com/t/AAAAAAAAAAAAAAAAAAAAAAAAAAA/"
        for number, _target in enumerate(compiled.link_targets)
    }
    values = dict.fromkeys(compiled.variables, "1") | content.example_context() | links
    try:
        _text, parts = content.render_sms(
            compiled,
            {**values, **fixed},
            signature=channel.sender,
            opt_out_text=sms_parts.OPT_OUT_TEXT if campaign.purpose == Purpose.MARKETING else "",
        )
    except (MissingVariable, RenderFailed, OutputTooLong):
        # The check of the texts tells it; an estimate needs some number.
        return 1
    return parts


def _scaled(
    course: LaunchCourse, counts: _ForecastCounts, *, audience: int, asked: int
) -> Forecast:
    def share(count: int) -> int:
        return round(count * audience / asked) if asked else 0

    campaign, channel = course.campaign, course.channel
    skipped = {reason: share(count) for reason, count in counts.skipped.most_common()}
    held_out = share(counts.held_out)
    to_send = max(0, audience - sum(skipped.values()) - held_out) if asked else 0
    each = Decimal(counts.parts) / counts.to_send if counts.to_send else Decimal(0)
    cost = plans.unit_cost(campaign, channel) * each * to_send
    budget = campaign.budget_amount
    affordable = int(to_send * budget / cost) if budget is not None and cost > budget else None
    return Forecast(
        audience=audience,
        asked=asked,
        skipped=skipped,
        held_out=held_out,
        to_send=to_send,
        waiting=min(share(counts.waiting), to_send),
        cost=cost.quantize(Decimal("0.01")),
        starts_at=course.starts_at,
        is_late=course.is_late,
        has_cap=bool(course.plan.caps) or course.plan.purpose is not Purpose.MARKETING,
        ends_at=_end(course, to_send if affordable is None else affordable),
        affordable=affordable,
        parts=round(each * to_send),
        channel=channel.name or channel.slug,
    )


def _end(course: LaunchCourse, count: int) -> datetime | None:
    rate, plan = course.channel.rate_per_second, course.plan
    if not rate:
        return None
    return schedule.expected_end(
        start=course.starts_at,
        count=count,
        per_second=float(rate),
        zone=plan.company_zone,
        window=plan.window if plan.purpose is Purpose.MARKETING else None,
    )
