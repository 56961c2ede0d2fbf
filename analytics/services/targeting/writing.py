"""The lists of people that a targeting leaves: one an offer, and of each channel of several."""

from dataclasses import dataclass

import numpy as np

from analytics.domain.targeting.list_names import list_slug, lists_of
from analytics.domain.targeting.planning import TargetingPeople, gravity
from analytics.domain.targeting.problem import NOBODY, Choice
from analytics.domain.targeting.spec import TargetingOffer, TargetingSpec
from analytics.models import TargetingList, TargetingRun
from analytics.selectors.targeting import people as people_selector
from analytics.services.discovery_writing import still_there
from analytics.services.targeting import checking, retiring
from analytics.services.targeting.checking import TargetingSuperseded
from analytics.services.targeting.retiring import RetiredList
from campaigns.models import Channel
from campaigns.services.campaigns import fairness
from customers.models import Segment
from customers.services.segments import versions as segments
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import Act
from loancrm.kernel.words.phrases import gettext as _


@dataclass(frozen=True, slots=True)
class OfferList:
    """A list that was written.

    Attributes:
        channel: Empty for the list of a whole offer.
    """

    slug: str
    name: str
    offer: str
    channel: str
    size: int


def write_lists(
    act: Act, *, row: TargetingRun, spec: TargetingSpec, people: TargetingPeople, choice: Choice
) -> list[OfferList]:
    """Make the people of each offer the members of a list, which the next run of its name follows.

    Each list says that a model chose it and from whom, so that the check of fairness finds it.

    Raises:
        TargetingRefused: A list of that name belongs to something else by now.
        TargetingSuperseded: A later targeting has written the lists: its people stay.
        ScoreNotUsable: A score may not choose people any more.
    """
    _require_lists(row, spec)
    # Solving takes a while: meanwhile a model is halted, or taken out of use.
    checking.require_usable_scores(spec, now=act.now)
    found: list[OfferList] = []
    for offer in spec.offers:
        of_offer = {
            channel.channel: people.ids[choice == at]
            for at, (one, channel) in enumerate(spec.options)
            if one.slug == offer.slug
        }
        everybody = np.concatenate(list(of_offer.values()))
        found.append(_write_list(act, row, spec, offer, "", np.sort(everybody).tolist()))
        if len(of_offer) > 1:
            found += [
                _write_list(act, row, spec, offer, channel, ids.tolist())
                for channel, ids in of_offer.items()
            ]
    return found


def _require_lists(row: TargetingRun, spec: TargetingSpec) -> None:
    """Refuse to write over lists of others, or of a targeting that began later."""
    slugs = [list_slug(spec.slug, *one) for one in lists_of(spec)]
    # In one order, and held to the end: of two targetings one writes all of its lists.
    lists = Segment.objects.filter(slug__in=slugs).order_by("pk")
    keys = list(lists.select_for_update().values_list("pk", flat=True))
    if problems := checking.foreign_lists(spec):
        raise checking.refused(problems)
    if TargetingList.objects.filter(segment__in=keys, run_id__gt=row.pk).exists():
        raise TargetingSuperseded(
            _("A later targeting of this short name has written its lists already.")
        )


def retire_lists(act: Act, *, row: TargetingRun, spec: TargetingSpec) -> list[RetiredList]:
    """Retire the lists of this short name's earlier targetings that this one did not write."""
    return retiring.retire_lists(
        actor=_writer(act.actor),
        targeting=spec.slug,
        places=lists_of(spec),
        source=_source(row),
        now=act.now,
    )


def without_gone(*, spec: TargetingSpec, people: TargetingPeople, choice: Choice) -> Choice:
    """Return the choice without whoever may not be chosen any more since people were read.

    Solving takes a while: meanwhile people are erased or merged, switch recommendations off, or an
    alert about them begins. Nobody is erased before the transaction ends, in which this is called.
    """
    rows = np.flatnonzero(choice >= 0)
    keys = people.ids[rows]
    stays = still_there(keys) & people_selector.may_be_chosen(keys)
    if spec.caps.alert is not None:
        stays &= people_selector.alerts_about(keys) < gravity(spec.caps.alert)
    left: Choice = choice.copy()
    left[rows[~stays]] = NOBODY
    return left


def _write_list(
    act: Act,
    row: TargetingRun,
    spec: TargetingSpec,
    offer: TargetingOffer,
    channel: str,
    ids: list[int],
) -> OfferList:
    actor = _writer(act.actor)
    slug = list_slug(spec.slug, offer.slug, channel)
    through = Channel.objects.filter(slug=channel).values_list("name", flat=True).first() or channel
    name = " · ".join(part for part in (spec.name or spec.slug, offer.name, through) if part)[:120]
    source = _source(row)
    segment = segments.replace_members(
        actor=actor, slug=slug, name=name, customer_ids=ids, source=source, now=act.now
    )
    if segment.name != name:
        segments.edit_segment(
            actor=actor,
            segment=segment,
            name=name,
            description=segment.description,
            now=act.now,
        )
    own, _created = TargetingList.objects.update_or_create(
        segment=segment,
        defaults={
            "targeting": spec.slug,
            "offer": offer.slug,
            "channel": channel,
            "run_id": row.pk,
        },
    )
    retiring.revive(actor=actor, row=own, segment=segment, now=act.now)
    fairness.record_model_audience(
        actor=actor,
        segment=segment,
        base=Segment.objects.filter(slug=spec.segment).first() if spec.segment else None,
        source=source,
        score_models=spec.score_models,
        now=act.now,
    )
    return OfferList(slug, name, offer.slug, channel, len(ids))


def _source(row: TargetingRun) -> str:
    return f"targeting:{row.pk}"


def _writer(actor: Actor) -> Actor:
    """Return who writes the lists: the permission to target is none to edit segments."""
    return system_actor(f"targeting:{actor.id}")
