"""Writing a campaign's messages as described: steps, variants and texts, old and new alike.

What is described replaces what is there: a channel changes, a variant that is no longer named goes,
a language that was emptied has no text any more. A text that changed becomes a new version.
"""

from collections.abc import Iterable, Mapping, Sequence

from campaigns.domain.campaigns.given.problems import ValueProblem, ValueProblemCode
from campaigns.domain.campaigns.spec import StepSpec, VariantSpec
from campaigns.models import Campaign, Channel, Step, Touchpoint, Variant
from campaigns.services.content import writing
from campaigns.services.content.writing import Writer


def channel_problems(
    steps: Sequence[StepSpec], campaign: Campaign | None = None
) -> list[ValueProblem]:
    """Return which steps name a channel that is not there or switched off.

    Args:
        steps: As described.
        campaign: The draft that is changed; a channel that it has already may stay.
    """
    known = set(Channel.objects.filter(is_active=True).values_list("slug", flat=True))
    if campaign is not None:
        known |= set(campaign.steps.values_list("touchpoint__channel__slug", flat=True))
    problems: list[ValueProblem] = []
    message = -1
    for step in steps:
        message += not step.is_fallback
        if step.channel not in known:
            name = "fallback_channel" if step.is_fallback else "channel"
            path = f"steps[{message}].{name}"
            problems.append(ValueProblem(path, ValueProblemCode.UNKNOWN, step.channel))
    return problems


def number_of(step: Step) -> int:
    """Return which message of its campaign a step is, from 1; a fallback counts as its message."""
    before = Step.objects.filter(campaign_id=step.campaign_id, position__lte=step.position)
    return before.filter(is_fallback=False).count()


def write_steps(*, campaign: Campaign, steps: Sequence[StepSpec], writer: Writer) -> list[str]:
    """Make a draft's messages what is described, and return what changed, for the audit trail."""
    channels = {
        channel.slug: channel
        for channel in Channel.objects.filter(slug__in=[step.channel for step in steps])
    }
    there = {step.position: step for step in campaign.steps.select_related("touchpoint__channel")}
    changed: list[str] = []
    for position, described in enumerate(steps, start=1):
        channel = channels[described.channel]
        wanted = {
            "is_fallback": described.is_fallback,
            "wait_minutes": described.wait_minutes,
            "condition": described.condition.value,
        }
        step = there.pop(position, None)
        if step is None:
            touchpoint = Touchpoint.objects.create(channel=channel)
            step = Step.objects.create(
                campaign=campaign, position=position, touchpoint=touchpoint, **wanted
            )
            changed.append(f"step {position}")
        else:
            names = [*_set(step.touchpoint, {"channel": channel}), *_set(step, wanted)]
            changed += [f"step {position}: {name}" for name in names]
        changed += _write_variants(step, described.variants, writer)
    for position, step in sorted(there.items()):
        step.delete()
        step.touchpoint.delete()
        changed.append(f"step {position}: removed")
    return changed


def _write_variants(step: Step, variants: Iterable[VariantSpec], writer: Writer) -> list[str]:
    touchpoint, number = step.touchpoint, number_of(step)
    there = {variant.key: variant for variant in touchpoint.variants.all()}
    changed: list[str] = []
    for described in variants:
        where = f"step {step.position} {described.key}"
        wanted = {"weight": described.weight, "follows_message": described.follows_message}
        variant = there.pop(described.key, None)
        if variant is None:
            variant = Variant.objects.create(touchpoint=touchpoint, key=described.key, **wanted)
            changed.append(where)
        else:
            variant.touchpoint = touchpoint
            changed += [f"{where}: {name}" for name in _set(variant, wanted)]
        texts = writing.write_texts(
            variant=variant,
            texts=described.texts,
            writer=writer,
            message=number,
            is_fallback=step.is_fallback,
        )
        changed += [f"{where}: {name}" for name in texts]
    for key, variant in sorted(there.items()):
        variant.delete()
        changed.append(f"step {step.position} {key}: removed")
    return changed


def _set(row: Step | Touchpoint | Variant, wanted: Mapping[str, object]) -> list[str]:
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, wanted[name])
    if changed:
        row.save(update_fields=changed)
    return changed
