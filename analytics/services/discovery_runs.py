"""Searches for segments in the background: started by a person, run by a worker, seen on a page."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import F

from analytics import jobs, labels
from analytics.domain.discovery_choices import DiscoveryChoices, Method
from analytics.domain.discovery_names import RFM_FEATURES, column_label
from analytics.domain.rates import wilson
from analytics.models import DiscoveryRun
from analytics.selectors import discovery_features
from analytics.selectors.protected_features import overrides_in_force
from analytics.services import discovery, discovery_clusters
from analytics.services.discovery import LookalikeDiscovery
from analytics.services.discovery_clusters import ClusterDiscovery
from analytics.services.discovery_writing import PERMISSION, Discovery, people_of
from customers.domain.fields.catalogue import Text
from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import service as works
from loancrm.kernel.work.claims import WorkClaim
from loancrm.kernel.work.execution import execute


class DiscoveryGroupUnknown(LoanCrmError):
    """The run found no group of this name."""

    code = "discovery_group_unknown"


def start_run(*, actor: Actor, choices: DiscoveryChoices, now: datetime) -> DiscoveryRun:
    """Let a worker search for segments.

    Raises:
        PermissionRefused: The actor may not discover segments.
        DiscoveryRefused: A segment that is named does not exist.
        FeatureProtected, FeatureUnknown: A named feature may not be used.
    """
    act = acting(actor, PERMISSION, now=now)
    for slug in (choices.segment, choices.seed_segment):
        people_of(slug, now=now)
    _labels(choices, now)
    with act:
        work = works.start(
            kind=jobs.DISCOVERY,
            actor=actor,
            now=now,
            title=labels.METHODS.phrase(choices.method),
            total_count=choices.step_count,
        )
        run = DiscoveryRun.objects.create(
            work=work, method=choices.method, parameters=choices.to_json()
        )
        act.record("discovery.started", on=run, facts=run.parameters)
    return run


def run(*, work_id: int, now: datetime) -> None:
    """Do a run in the name of who started it; nothing when it is in hand or over.

    What a run finds is written in one transaction with its end: a worker that died has left
    nothing, and the run is done from the beginning.
    """

    def perform(claim: WorkClaim) -> None:
        row = DiscoveryRun.objects.select_related("work__requested_by").get(work_id=work_id)
        claim.save_progress(done_count=0)

        def advance(_step: int) -> None:
            claim.save_progress(done_count=F("done_count") + 1)
            claim.raise_if_requested()

        def finish(found: Discovery, names: Mapping[str, Text]) -> None:
            claim.finish(done_count=F("total_count"))
            DiscoveryRun.objects.filter(pk=row.pk).update(result=_told(found, names))

        _discover(row, now, advance, finish)

    execute(work_id=work_id, perform=perform, now=now)


def make_segment(*, actor: Actor, run_id: int, group: str, name: str, now: datetime) -> Segment:
    """Keep the people of a group that a run found, as a list of one's own.

    The group itself follows the next run of its kind; this list does not.

    Raises:
        PermissionRefused: The actor may not add segments.
        DiscoveryGroupUnknown: The run found no such group, or it is gone.
        SegmentNameTaken: There is a segment of this name already.
    """
    row = DiscoveryRun.objects.get(pk=run_id)
    known = {found["slug"] for found in row.result.get("groups", ())}
    found = Segment.objects.filter(slug=group).first() if group in known else None
    if found is None:
        raise DiscoveryGroupUnknown(_("The run found no group “%(group)s”.") % {"group": group})
    shown = " ".join(name.split())[:120] or found.name
    return versions.freeze_segment(
        actor=actor, segment=found, slug=f"{group[:60]}-{now:%Y%m%d-%H%M%S}", name=shown, now=now
    )


def _discover(
    row: DiscoveryRun,
    now: datetime,
    advance: Callable[[int], object],
    finish: Callable[[Discovery, Mapping[str, Text]], None],
) -> None:
    choices = DiscoveryChoices.from_json(row.parameters)
    # Whoever lost the permission, or left, since the start finds nothing any more.
    person = row.work.requested_by
    actor = access.user_actor(person) if person else None
    access.require(actor, PERMISSION)
    assert actor is not None  # noqa: S101 - as just required
    if choices.method is Method.RFM:
        discovery.discover_rfm(
            actor=actor,
            now=now,
            event=choices.event,
            within_days=choices.within_days,
            segment=choices.segment,
            on_progress=advance,
            finish=lambda found: finish(found, RFM_FEATURES),
        )
        return
    labels = _labels(choices, now)
    if choices.method is Method.CLUSTERS:
        discovery_clusters.discover_clusters(
            actor=actor,
            now=now,
            features=choices.features,
            segment=choices.segment,
            seed=choices.seed,
            max_clusters=choices.max_clusters,
            explained=choices.explained,
            on_progress=advance,
            finish=lambda found: finish(found, labels),
        )
        return
    discovery.discover_lookalike(
        actor=actor,
        now=now,
        seed_segment=choices.seed_segment,
        features=choices.features,
        segment=choices.segment,
        share=choices.share,
        seed=choices.seed,
        on_progress=advance,
        finish=lambda found: finish(found, labels),
    )


def _labels(choices: DiscoveryChoices, now: datetime) -> dict[str, Text]:
    """Return the chosen features with their labels; only clusters may use a recorded leave."""
    is_open = choices.method is Method.CLUSTERS
    overrides = overrides_in_force(now=now) if is_open else {}
    return discovery_features.chosen_features(choices.features, overrides=overrides)


def _told(found: Discovery, labels: Mapping[str, Text]) -> dict[str, Any]:
    """Return a result as plain JSON: numbers, and names in both languages."""
    content: dict[str, Any] = {
        "version": found.version,
        "people": found.people,
        "skipped": found.skipped,
        "groups": [
            {
                "slug": group.slug,
                "name": group.name,
                "size": group.size,
                "differences": [
                    {
                        "feature": _names(d.feature, labels),
                        "z": round(d.z, 3),
                        "mean": round(d.mean, 4),
                        "overall": round(d.overall_mean, 4),
                        "lift": None if d.lift is None else round(d.lift, 3),
                    }
                    for d in group.differences
                ],
            }
            for group in found.segments
        ],
    }
    if isinstance(found, ClusterDiscovery):
        content["silhouette"] = round(found.model.silhouette, 4)
        content["stability"] = round(found.model.stability, 4)
        content["overrides"] = sorted(found.overrides)
        if found.model.projection:
            content["explained"] = [round(share, 6) for share in found.model.projection.explained]
    if isinstance(found, LookalikeDiscovery):
        low = wilson(found.lift.found, found.lift.held_out).low or 0.0
        content["lift"] = {
            "value": round(found.lift.ratio, 3),
            "low": round(low / found.lift.top_share, 3),
            "found": found.lift.found,
            "held_out": found.lift.held_out,
        }
        content["drivers"] = [
            {"feature": _names(name, labels), "weight": round(weight, 3)}
            for name, weight in found.drivers
        ]
    return content


def _names(feature: str, labels: Mapping[str, Text]) -> dict[str, str]:
    label = column_label(feature, labels)
    return {"zh": label.zh, "en": label.en}
