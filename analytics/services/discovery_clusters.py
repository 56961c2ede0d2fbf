"""Discover groups of similar customers, and put new customers into those found before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from analytics.domain.clustering import ClusterModel, NoStableClustersError, discover
from analytics.domain.discovery_names import cluster_description, cluster_name
from analytics.domain.features import FeatureTable, NoUsableFeatureError
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
    write_segment,
)
from analytics.services.protected_overrides import used_overrides
from customers.domain.fields.catalogue import Text
from customers.models import Segment
from loancrm.kernel import access
from loancrm.kernel.access import Actor
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
    access.require(actor, PERMISSION)
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
    with transaction.atomic():
        stored = discovery_models.keep(
            method=CLUSTERS, name=name, content=content, as_of=now, now=now
        )
        result = _write_clusters(
            actor=actor,
            name=name,
            version=stored.version,
            model=model,
            table=table,
            labels=labels,
            overrides=used,
            now=now,
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
    access.require(actor, PERMISSION)
    stored, content = discovery_models.latest(method=CLUSTERS, name=name)
    model = ClusterModel.from_json(content["model"])
    overrides = overrides_in_force(now=now)
    labels = discovery_features.chosen_features(model.scaling.names, overrides=overrides)
    table = discovery_features.load_features(
        people=people_of(content["segment"], now=now), names=tuple(labels), as_of=now
    )
    with transaction.atomic():
        return _write_clusters(
            actor=actor,
            name=name,
            version=stored.version,
            model=model,
            table=table,
            labels=labels,
            overrides=used_overrides(labels, overrides),
            now=now,
        )


def _write_clusters(  # noqa: PLR0913 - one argument a part of the result
    *,
    actor: Actor,
    name: str,
    version: str,
    model: ClusterModel,
    table: FeatureTable,
    labels: Mapping[str, Text],
    overrides: Mapping[str, int],
    now: datetime,
) -> ClusterDiscovery:
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
            write_segment(actor=actor, found=shown, customer_ids=ids, source=source, now=now)
        )
    _empty_older(actor, name, len(model.clusters), version, now)
    result = ClusterDiscovery(
        CLUSTERS, version, len(numbers), tuple(written), model=model, overrides=overrides
    )
    record_run(actor=actor, result=result, name=name, now=now, overrides=dict(overrides))
    return result


def _empty_older(actor: Actor, name: str, count: int, version: str, now: datetime) -> None:
    """Leave nobody in groups of an earlier model that had more of them."""
    older = Segment.objects.filter(
        slug__regex=rf"^{name}-[0-9]+$", members__source__startswith=f"{name}@"
    )
    for slug, shown in sorted(set(older.values_list("slug", "name"))):
        if int(slug.rpartition("-")[2]) > count:
            write_segment(
                actor=actor,
                found=FoundSegment(slug, shown, 0),
                customer_ids=[],
                source=f"{name}@{version}",
                now=now,
            )
