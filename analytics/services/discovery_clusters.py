"""Discover groups of similar customers, and put new customers into those found before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.domain.clustering import ClusterModel, NoStableClustersError, discover
from analytics.domain.discovery_names import cluster_description, cluster_name
from analytics.domain.features import FeatureTable, NoUsableFeatureError, rows_of
from analytics.selectors import discovery_features
from analytics.selectors.protected_features import overrides_in_force
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
)
from analytics.services.protected_overrides import used_overrides
from customers.domain.fields.catalogue import Text
from customers.models import Segment
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.words.phrases import gettext as _

CLUSTERS = "clusters"


@dataclass(frozen=True, slots=True)
class ClusterDiscovery(Discovery):
    """Clusters, with how well they are apart and how well they hold.

    Attributes:
        overrides: Protected attributes that were looked at, each with the key of its leave.
    """

    model: ClusterModel
    overrides: Mapping[str, int]


def discover_clusters(  # noqa: PLR0913 - choices of one run
    *,
    actor: Actor,
    now: datetime,
    name: str = "cluster",
    features: Sequence[str] = (),
    segment: str = "",
    seed: int = 1,
    max_clusters: int = 8,
    explained: float | None = None,
    on_progress: Callable[[int], object] = lambda _step: None,
    finish: Finish = finish_nothing,
) -> ClusterDiscovery:
    """Find groups of similar customers, keep the model, write them as segments `<name>-1`, ….

    Args:
        explained: Look for them in principal components that explain this share of the variance.
        finish: Called with the result in the transaction that writes it.

    Raises:
        PermissionRefused: The actor may not discover segments.
        FeatureProtected: A named feature is a protected attribute without leave.
        FeatureUnknown: A named feature does not exist.
        DiscoveryRefused: The customers do not fall into stable groups of at least 2 %.
    """
    act = acting(actor, PERMISSION, now=now)
    overrides = overrides_in_force(now=now)
    labels = discovery_features.chosen_features(features, overrides=overrides)
    used = used_overrides(labels, overrides)
    table = discovery_features.load_features(
        people=people_of(segment, now=now), names=tuple(labels), as_of=now
    )
    try:
        model = discover(
            table,
            seed=seed,
            counts=range(2, max_clusters + 1),
            explained=explained,
            on_progress=on_progress,
        )
    except (NoUsableFeatureError, NoStableClustersError) as error:
        raise DiscoveryRefused(
            _("These customers do not fall into stable groups of a useful size."),
            people=len(table.customer_ids),
        ) from error
    content = {"segment": segment, "model": model.to_json(), "overrides": used}
    with act:
        stored = discovery_models.write_model(
            method=CLUSTERS, name=name, content=content, as_of=now, now=now
        )
        result = _write_clusters(
            act,
            name=name,
            segment=segment,
            version=stored.version,
            model=model,
            table=table,
            labels=labels,
            overrides=used,
        )
        finish(result)
    return result


def assign_clusters(*, actor: Actor, now: datetime, name: str = "cluster") -> ClusterDiscovery:
    """Put everybody, new customers too, into the groups of the newest stored model.

    Raises:
        PermissionRefused: The actor may not discover segments.
        DiscoveryModelUnknown, DiscoveryModelChanged: No model to use.
        FeatureProtected, FeatureUnknown: A feature of the model may no longer be used, such as a
            protected attribute whose leave has ended.
    """
    act = acting(actor, PERMISSION, now=now)
    stored, content = discovery_models.latest(method=CLUSTERS, name=name)
    model = ClusterModel.from_json(content["model"])
    overrides = overrides_in_force(now=now)
    labels = discovery_features.chosen_features(model.scaling.names, overrides=overrides)
    table = discovery_features.load_features(
        people=people_of(content["segment"], now=now), names=tuple(labels), as_of=now
    )
    with act:
        return _write_clusters(
            act,
            name=name,
            segment=content["segment"],
            version=stored.version,
            model=model,
            table=table,
            labels=labels,
            overrides=used_overrides(labels, overrides),
        )


def _write_clusters(  # noqa: PLR0913 - parts of one result
    act: Act,
    *,
    name: str,
    segment: str,
    version: str,
    model: ClusterModel,
    table: FeatureTable,
    labels: Mapping[str, Text],
    overrides: Mapping[str, int],
) -> ClusterDiscovery:
    is_there = still_there(table.customer_ids)
    table = rows_of(table, is_there)
    numbers = model.assign(table)
    written = []
    for cluster in model.clusters:
        ids = table.customer_ids[numbers == cluster.number].tolist()
        shown = FoundSegment(
            slug=f"{name}-{cluster.number}",
            name=cluster_name(cluster, labels),
            size=len(ids),
            description=cluster_description(cluster, model.stability, labels),
            differences=cluster.differences,
        )
        source = f"{name}@{version}"
        written.append(
            write_chosen_segment(act, found=shown, customer_ids=ids, source=source, base=segment)
        )
    _empty_older(act, name, len(model.clusters), version)
    result = ClusterDiscovery(
        CLUSTERS,
        version,
        len(numbers),
        tuple(written),
        model=model,
        overrides=overrides,
        skipped=int((~is_there).sum()),
    )
    record_run(act, result=result, name=name, overrides=dict(overrides))
    return result


def _empty_older(act: Act, name: str, count: int, version: str) -> None:
    """Leave nobody in groups of an earlier model that had more of them."""
    older = Segment.objects.filter(
        slug__regex=rf"^{name}-[0-9]+$", members__source__startswith=f"{name}@"
    )
    for slug, shown in sorted(set(older.values_list("slug", "name"))):
        if int(slug.rpartition("-")[2]) > count:
            found = FoundSegment(slug, shown, 0)
            write_segment(act, found=found, customer_ids=[], source=f"{name}@{version}")
