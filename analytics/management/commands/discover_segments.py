"""Discover segments among the customers: RFM groups, clusters, or people like a seed segment."""

import time
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from analytics.domain.discovery_names import FEATURE_LABELS
from analytics.services import discovery, discovery_clusters
from analytics.services.discovery import LookalikeDiscovery
from analytics.services.discovery_clusters import ClusterDiscovery
from analytics.services.discovery_writing import Discovery
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments, progress
from loancrm.kernel.commands.base import LoanCrmCommand, refuse


class Command(LoanCrmCommand):
    help = "Write RFM groups, clusters or look-alikes as segments (and scores)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--method", required=True, choices=("rfm", "clusters", "lookalike"))
        parser.add_argument("--segment", default="", help="look only at the people of this segment")
        parser.add_argument(
            "--features",
            default="",
            help="comma-separated, default all numbers: "
            f"{', '.join(FEATURE_LABELS)}, attribute.<name>; texts by name only, protected ones by "
            "recorded leave only",
        )
        parser.add_argument("--random-seed", type=arguments.seed, default=1)
        parser.add_argument(
            "--as-of", type=arguments.moment, help="rfm: ISO 8601 time, default now"
        )
        parser.add_argument("--event", default=discovery.RFM_EVENT, help="rfm: what counts")
        parser.add_argument(
            "--within-days", type=arguments.whole(1, 36_500), default=365, help="rfm: period"
        )
        parser.add_argument("--name", default="cluster", help="clusters: name of the model")
        parser.add_argument(
            "--max-clusters",
            type=arguments.whole(2, 100),
            default=8,
            help="clusters: most groups",
        )
        parser.add_argument(
            "--explained",
            type=arguments.share,
            help="clusters: look for them in principal components that explain this share",
        )
        parser.add_argument(
            "--assign", action="store_true", help="clusters: use the newest stored model"
        )
        parser.add_argument("--seed-segment", default="", help="lookalike: whom to resemble")
        parser.add_argument(
            "--share",
            type=arguments.share,
            default=0.1,
            help="lookalike: share of the others to take",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        content = _shown(self._run(options))
        content["seconds"] = round(time.monotonic() - started, 3)
        if options["json"]:
            self.print_json(content)
            return
        for segment in content.pop("segments"):
            self.stdout.write(f"{segment['slug']:32}{segment['size']:>10}  {segment['name']}")
        for key, value in content.items():
            self.stdout.write(f"{key}: {value}")

    def _run(self, options: dict[str, Any]) -> Discovery:
        actor, now = system_actor("command:discover_segments"), clock.now()
        features = [name.strip() for name in options["features"].split(",") if name.strip()]
        if options["method"] == "rfm":
            return discovery.discover_rfm(
                actor=actor,
                now=now,
                as_of=options["as_of"],
                event=options["event"],
                within_days=options["within_days"],
                segment=options["segment"],
            )
        if options["method"] == "lookalike":
            if not options["seed_segment"]:
                refuse("argument_wrong", _("--method lookalike needs --seed-segment."))
            return discovery.discover_lookalike(
                actor=actor,
                now=now,
                seed_segment=options["seed_segment"],
                features=features,
                segment=options["segment"],
                share=options["share"],
                seed=options["random_seed"],
            )
        if options["assign"]:
            return discovery_clusters.assign_clusters(actor=actor, now=now, name=options["name"])
        with progress.bar(total=options["max_clusters"] - 1, description="clusters") as bar:
            return discovery_clusters.discover_clusters(
                actor=actor,
                now=now,
                name=options["name"],
                features=features,
                segment=options["segment"],
                seed=options["random_seed"],
                max_clusters=options["max_clusters"],
                explained=options["explained"],
                on_progress=bar.update,
            )


def _shown(result: Discovery) -> dict[str, Any]:
    content: dict[str, Any] = {
        "method": result.method,
        "version": result.version,
        "people": result.people,
        "segments": [
            {
                "slug": found.slug,
                "name": found.name,
                "size": found.size,
                "description": found.description,
            }
            for found in result.segments
        ],
    }
    if isinstance(result, ClusterDiscovery):
        content["silhouette"] = round(result.model.silhouette, 4)
        content["stability"] = round(result.model.stability, 4)
        if projection := result.model.projection:
            content["explained"] = {
                "sum": round(projection.explained_sum, 6),
                "shares": [round(share, 6) for share in projection.explained],
            }
    if isinstance(result, LookalikeDiscovery):
        content["lift"] = {
            "at": 0.1,
            "value": round(result.lift.ratio, 4),
            "numerator": result.lift.found,
            "denominator": result.lift.held_out,
        }
        content["drivers"] = [
            {"feature": name, "weight": round(weight, 4)} for name, weight in result.drivers
        ]
    return content
