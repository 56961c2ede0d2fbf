"""Discover segments: RFM groups and look-alikes, written as scores and member lists."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from analytics.domain.discovery_names import (
    RFM_FEATURES,
    RFM_LABELS,
    both,
)
from analytics.domain.features import FeatureTable, Floats, NoUsableFeatureError, rows_of
from analytics.domain.lookalike import MIN_SEEDS, Lift, LookalikeModel, SeedTooSmallError, learn
from analytics.domain.profiles import ProfileDifference, differences, standardised
from analytics.domain.rates import wilson
from analytics.domain.rfm import Rfm, RfmGroup, rfm_figures, rfm_scores
from analytics.selectors import discovery_features
from analytics.services import discovery_models
from analytics.services.discovery_writing import (
    PERMISSION,
    Discovery,
    DiscoveryRefused,
    Finish,
    FoundSegment,
    finish_nothing,
    people_of,
    record_run,
    still_there,
    write_chosen_segment,
    write_segment,
    writer_for,
)
from customers.domain.fields.catalogue import Text
from customers.services import scores
from customers.services.scores import GivenScore
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.words.phrases import gettext as _

RFM_EVENT = "repayment_made"
LOOKALIKE = "lookalike"


@dataclass(frozen=True, slots=True)
class LookalikeDiscovery(Discovery):
    """Look-alikes, with the lift on held-out seeds and the features of the largest weights."""

    lift: Lift
    drivers: tuple[tuple[str, float], ...]


def discover_rfm(  # noqa: PLR0913 - choices of one run
    *,
    actor: Actor,
    now: datetime,
    as_of: datetime | None = None,
    event: str = RFM_EVENT,
    within_days: int = 365,
    segment: str = "",
    on_progress: Callable[[int], object] = lambda _step: None,
    finish: Finish = finish_nothing,
) -> Discovery:
    """Score recency, frequency and value, and write the eight groups as segments `rfm-…`.

    The scores are `score.rfm_r`, `rfm_f`, `rfm_m` (1 to 5) and `rfm` (such as 545).

    Args:
        event: The event that counts; negative amounts are refunds.
        segment: Only the people of this segment.
        on_progress: Called with 1 after each step, before anything is written.
        finish: Called with the result in the transaction that writes it.

    Raises:
        PermissionRefused: The actor may not discover segments.
        DiscoveryRefused: The time lies in the future, or nobody did anything.
    """
    act = acting(actor, PERMISSION, now=now)
    moment = _moment(as_of, now)
    purchases = discovery_features.load_purchases(
        people=people_of(segment, now=now),
        event=event,
        since=moment - timedelta(days=within_days),
        as_of=moment,
    )
    if not purchases:
        raise DiscoveryRefused(_("Nobody has an event “%(event)s”.") % {"event": event})
    on_progress(1)
    found = rfm_scores(purchases, as_of=moment)
    figures = rfm_figures(purchases, as_of=moment)
    on_progress(1)
    version = f"rfm-{moment:%Y%m%dT%H%M%S}"
    with act:
        is_there = still_there(figures.customer_ids)
        looked_at = len(found)
        found = [rfm for rfm, is_one in zip(found, is_there, strict=True) if is_one]
        figures = rows_of(figures, is_there)
        _record_rfm(act, found, version)
        written = []
        for group in RfmGroup:
            ids = [rfm.customer_id for rfm in found if rfm.group is group]
            is_inside = [rfm.group is group for rfm in found]
            shown = FoundSegment(
                slug=f"rfm-{group.value}",
                name=both(RFM_LABELS[group]),
                size=len(ids),
                differences=_apart(figures, RFM_FEATURES, standardised(figures), is_inside),
            )
            written.append(
                write_segment(act, found=shown, customer_ids=ids, source=f"rfm@{version}")
            )
        result = Discovery(
            "rfm", version, len(found), tuple(written), skipped=looked_at - len(found)
        )
        record_run(act, result=result, name="rfm")
        finish(result)
    return result


def discover_lookalike(  # noqa: PLR0913 - choices of one run
    *,
    actor: Actor,
    now: datetime,
    seed_segment: str,
    features: Sequence[str] = (),
    segment: str = "",
    share: float = 0.1,
    seed: int = 1,
    on_progress: Callable[[int], object] = lambda _step: None,
    finish: Finish = finish_nothing,
) -> LookalikeDiscovery:
    """Rank everybody by resemblance to a segment; write the best as `lookalike-<seed segment>`.

    The scores are `score.lookalike_<seed segment>`. Nothing is written where the ranking finds
    held-out seeds no better than chance (95 % interval).

    Args:
        share: Share of the others who become members; the seeds never do.
        on_progress: Called with 1 after each step, before anything is written.
        finish: Called with the result in the transaction that writes it.

    Raises:
        PermissionRefused: The actor may not discover segments.
        FeatureProtected, FeatureUnknown: A named feature may not be used.
        DiscoveryRefused: Fewer than 200 seeds, no usable feature, or no better than chance.
    """
    act = acting(actor, PERMISSION, now=now)
    labels = discovery_features.chosen_features(features)
    people = people_of(segment, now=now) | people_of(seed_segment, now=now)
    table = discovery_features.load_features(people=people, names=tuple(labels), as_of=now)
    on_progress(1)
    seeds = people_of(seed_segment, now=now).values_list("pk", flat=True)
    is_seed = np.isin(table.customer_ids, np.fromiter(seeds.iterator(5000), dtype=np.int64))
    model = _learned(table, is_seed, seed)
    on_progress(1)
    with act:
        stored = discovery_models.write_model(
            method=LOOKALIKE, name=seed_segment, content=model.to_json(), as_of=now, now=now
        )
        result = _write_lookalike(
            act,
            seed_segment=seed_segment,
            segment=segment,
            version=stored.version,
            model=model,
            table=table,
            is_seed=is_seed,
            share=share,
        )
        finish(result)
    return result


def _apart(
    table: FeatureTable, names: Iterable[str], scaled: Floats, chosen: npt.ArrayLike
) -> tuple[ProfileDifference, ...]:
    mask = np.asarray(chosen, dtype=bool)
    return differences(table, tuple(names), scaled, mask) if mask.any() else ()


def _moment(as_of: datetime | None, now: datetime) -> datetime:
    if as_of is not None and as_of > now:
        raise DiscoveryRefused(_("The time as of which to score lies in the future."))
    return as_of or now


def _record_rfm(act: Act, found: Sequence[Rfm], version: str) -> None:
    columns: dict[str, Callable[[Rfm], GivenScore]] = {
        "rfm_r": lambda rfm: GivenScore(rfm.customer_id, Decimal(rfm.recency)),
        "rfm_f": lambda rfm: GivenScore(rfm.customer_id, Decimal(rfm.frequency)),
        "rfm_m": lambda rfm: GivenScore(rfm.customer_id, Decimal(rfm.monetary)),
        "rfm": lambda rfm: GivenScore(rfm.customer_id, Decimal(rfm.cell), rfm.group.value),
    }
    for model_name, given in columns.items():
        scores.record_scores(
            actor=writer_for(act.actor),
            model_name=model_name,
            version=version,
            scores=map(given, found),
            now=act.now,
            is_complete=True,
        )


def _write_lookalike(  # noqa: PLR0913 - parts of one result
    act: Act,
    *,
    seed_segment: str,
    segment: str,
    version: str,
    model: LookalikeModel,
    table: FeatureTable,
    is_seed: npt.NDArray[np.bool_],
    share: float,
) -> LookalikeDiscovery:
    is_there = still_there(table.customer_ids)
    table, is_seed = rows_of(table, is_there), is_seed[is_there]
    values = model.score(table)
    others = np.flatnonzero(~is_seed)
    ranked = others[np.argsort(-values[others], kind="stable")]
    chosen = table.customer_ids[ranked[: int(np.ceil(share * len(ranked)))]].tolist()
    model_name = f"lookalike_{seed_segment}"[:60]
    scores.record_scores(
        actor=writer_for(act.actor),
        model_name=model_name,
        version=version,
        scores=(
            GivenScore(int(table.customer_ids[at]), Decimal(f"{values[at]:.6f}")) for at in others
        ),
        now=act.now,
        is_complete=True,
    )
    shown = _shown(model, table, seed_segment, chosen)
    source = f"lookalike@{version}"
    written = write_chosen_segment(
        act,
        found=shown,
        customer_ids=chosen,
        source=source,
        base=segment,
        score_models=[model_name],
    )
    result = LookalikeDiscovery(
        LOOKALIKE,
        version,
        len(values),
        (written,),
        lift=model.lift,
        drivers=tuple(model.drivers()),
        skipped=int((~is_there).sum()),
    )
    record_run(act, result=result, name=seed_segment)
    return result


def _shown(
    model: LookalikeModel, table: FeatureTable, seed_segment: str, chosen: Sequence[int]
) -> FoundSegment:
    lift = model.lift
    return FoundSegment(
        slug=f"lookalike-{seed_segment}"[:80],
        name=both(Text(f"与“{seed_segment}”相似的客户", f"People like “{seed_segment}”")),
        size=len(chosen),
        description=both(
            Text(
                f"前10%提升度 {lift.ratio:.2f}（留出种子 {lift.held_out} 人）",
                f"lift in the best 10 %: {lift.ratio:.2f} ({lift.held_out} seeds held out)",
            )
        ),
        differences=_apart(
            table,
            model.scaling.labels,
            model.scaling.apply(table),
            np.isin(table.customer_ids, chosen),
        ),
    )


def _learned(table: FeatureTable, is_seed: npt.NDArray[np.bool_], seed: int) -> LookalikeModel:
    try:
        model = learn(table, is_seed, seed=seed)
    except (SeedTooSmallError, NoUsableFeatureError) as error:
        raise DiscoveryRefused(
            _("A seed needs at least %(count)s people who differ from others in something.")
            % {"count": MIN_SEEDS},
            seeds=int(is_seed.sum()),
        ) from error
    low = wilson(model.lift.found, model.lift.held_out).low
    if low is None or low <= model.lift.top_share:
        raise DiscoveryRefused(
            _("The people who were held out are found no better than by chance."),
            lift=round(model.lift.ratio, 3),
        )
    return model
