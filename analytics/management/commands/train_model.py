"""Train a scorecard or boosted trees from a CSV file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from analytics.domain.modelling.learners import ModelKind
from analytics.domain.modelling.training import TrainingSpec
from analytics.services.modelling import files
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    uses_data = False
    help = "Train a model from a CSV file, measure it on rows held out, and write it as plain JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from-csv", type=arguments.file, required=True, metavar="FILE")
        parser.add_argument("--target", required=True, help="the column to be predicted")
        parser.add_argument("--positive", required=True, help="its value that is the event")
        parser.add_argument("--kind", choices=[kind.value for kind in ModelKind], required=True)
        parser.add_argument("--drop", default="", help="columns that are no features: a,b")
        parser.add_argument("--test-fraction", type=arguments.share, default=0.3)
        parser.add_argument("--seed", type=arguments.seed, default=0)
        parser.add_argument(
            "--time-column", default="", help="test on the last rows by this column instead"
        )
        parser.add_argument(
            "--out", type=arguments.new_file, help="where the model goes; else into var/models"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        trained = files.train_file(
            path=options["from_csv"],
            target=options["target"],
            positive=options["positive"],
            spec=TrainingSpec(
                kind=ModelKind(options["kind"]),
                excluded=tuple(name.strip() for name in options["drop"].split(",") if name.strip()),
                test_share=options["test_fraction"],
                seed=options["seed"],
            ),
            time_column=options["time_column"],
        )
        summary = files.summary_of(trained)
        path: Path = options["out"] or (
            Path(settings.LOANCRM_VAR_DIR)
            / "models"
            / f"{summary['kind']}-{summary['digest'][:12]}.json"
        )
        files.write_model_file(trained.model, path)
        if options["json"]:
            self.print_json({**summary, "artefact": str(path)})
            return
        for name in ("auc", "ks", "gini", "brier"):
            figure = summary[name]
            self.stdout.write(
                f"{name:<8} {figure['value']:.4f}  ({figure['low']:.4f} – {figure['high']:.4f})"
            )
        self.stdout.write(f"features {', '.join(each['name'] for each in summary['features'])}")
        self.stdout.write(f"artefact {path}")
