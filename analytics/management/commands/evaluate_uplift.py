"""Learn uplift from a file with a group held out by chance, and say what the ranking is worth."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from analytics.domain.rates import RateDifference
from analytics.domain.uplift.calibration import Coefficient
from analytics.domain.uplift.ranking import AreaEstimate
from analytics.domain.uplift.reading import TrialColumns
from analytics.domain.uplift.surfaces import UpliftBase
from analytics.domain.uplift.vocabulary import Learner
from analytics.labels import uplift as labels
from analytics.services.uplift.trials import DIFFERS, TrialFile, evaluate_trial_file
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand

_QINI_UNIT = "extra outcomes per 1,000 treated people beyond a random ranking, mean over all depths"
_AUUC_UNIT = "extra outcomes per 1,000 people beyond a random ranking, mean over all depths"
_AREA_UNIT = "people x outcomes, above a random ranking"
_PART_UNIT = "part of a perfect ranking's area"


class Command(LoanCrmCommand):
    help = "Measure a ranking by uplift: Qini and AUUC with intervals, calibration, verdict."
    uses_data = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=arguments.file, help="CSV (also .gz), XLSX, JSON lines")
        parser.add_argument("--treatment", required=True, help="column: who was treated")
        parser.add_argument("--outcome", required=True, help="column: who did what was hoped for")
        parser.add_argument("--treated", default="", help="value of the treated")
        parser.add_argument("--outcome-value", default="", help="value of those with the outcome")
        parser.add_argument("--features", default="", help="comma-separated, default all others")
        parser.add_argument("--drop", default="", help="comma-separated columns to leave out")
        parser.add_argument("--id", default="", help="column that breaks ties, default the row")
        parser.add_argument("--learner", choices=[*map(str, Learner)], default=Learner.X.value)
        parser.add_argument(
            "--base", choices=[*map(str, UpliftBase)], default=UpliftBase.LOGISTIC.value
        )
        parser.add_argument("--test-fraction", type=arguments.number(0.05, 0.95), default=0.3)
        parser.add_argument("--seed", type=arguments.seed, default=20240601)
        parser.add_argument(
            "--draws", type=arguments.whole(100, 100_000), default=1000, help="of the intervals"
        )
        parser.add_argument("--artefact", type=arguments.new_file, help="write the model as JSON")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = evaluate_trial_file(
            path=options["file"],
            columns=TrialColumns(
                treatment=options["treatment"],
                outcome=options["outcome"],
                treated=options["treated"],
                outcome_value=options["outcome_value"],
                features=_names(options["features"]),
                dropped=_names(options["drop"]),
                identifier=options["id"],
            ),
            learner=Learner(options["learner"]),
            base=UpliftBase(options["base"]),
            test_share=options["test_fraction"],
            seed=options["seed"],
            draws=options["draws"],
        )
        content = _content(found)
        path: Path | None = options["artefact"]
        if path is not None:
            artefact = {"digest": found.model.digest, "model": found.model.to_json()}
            path.write_text(json.dumps(artefact, sort_keys=True, allow_nan=False), encoding="utf-8")
            content["artefact"] = str(path)
        if options["json"]:
            self.print_json(content)
            return
        self._print(found)

    def _print(self, found: TrialFile) -> None:
        worth = found.evaluation.worth
        lines = {
            "learner": labels.LEARNERS.label(found.model.learner),
            "people measured": found.evaluation.people,
            "average uplift": _plain(_difference(found.evaluation.average)),
            f"Qini ({_QINI_UNIT})": _plain(asdict(worth.qini_per_thousand)),
            f"AUUC ({_AUUC_UNIT})": _plain(asdict(worth.auuc_per_thousand)),
            "estimated to be put off": found.evaluation.dogs.people,
            "verdict": labels.RANKING_VERDICTS.label(found.evaluation.verdict),
        }
        for name, value in lines.items():
            self.stdout.write(f"{name}: {value}")
        for name, why in found.left_out.items():
            self.stdout.write(f"left out: {name} ({why})")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _plain(figure: Mapping[str, Any]) -> str:
    texts = [
        "–" if figure[key] is None else f"{figure[key]:.4f}" for key in ("value", "low", "high")
    ]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _difference(found: RateDifference) -> dict[str, Any]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _area(found: AreaEstimate, unit: str) -> dict[str, Any]:
    return {**asdict(found), "unit": unit}


def _coefficient(found: Coefficient | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _content(found: TrialFile) -> dict[str, Any]:
    evaluation, worth = found.evaluation, found.evaluation.worth
    return {
        "rows": found.rows,
        "train_rows": found.learned_from,
        "test_rows": evaluation.people,
        "test_treated": evaluation.treated,
        "treated_value": found.treated_word,
        "learner": found.model.learner.value,
        "base": found.model.base.value,
        "features": list(found.features),
        "dropped": dict(found.left_out),
        "warnings": [
            {"code": DIFFERS, "column": name, "z": round(z, 3)}
            for name, z in found.unbalanced.items()
        ],
        "average_uplift": _difference(evaluation.average),
        "qini": _area(worth.qini_per_thousand, _QINI_UNIT),
        "qini_area": _area(worth.qini, _AREA_UNIT),
        "qini_normalised": _area(worth.qini_normalised, _PART_UNIT),
        "auuc": _area(worth.auuc_per_thousand, _AUUC_UNIT),
        "auuc_area": _area(worth.auuc, _AREA_UNIT),
        "auuc_normalised": _area(worth.auuc_normalised, _PART_UNIT),
        "uplift_at": {str(share): _difference(at) for share, at in evaluation.at.items()},
        "calibration": [
            {
                "people": band.people,
                "treated": band.treated,
                "predicted": band.predicted,
                "observed": _difference(band.observed),
                "covered": band.is_covered,
            }
            for band in evaluation.bands
        ],
        "best_linear_predictor": {
            "ate": _coefficient(evaluation.predictor.average),
            "heterogeneity": _coefficient(evaluation.predictor.heterogeneity),
        },
        "sleeping_dogs": {
            "people": evaluation.dogs.people,
            "share": evaluation.dogs.share,
            "observed": _difference(evaluation.dogs.observed),
        },
        "curve": [asdict(point) for point in evaluation.curve],
        "verdict": evaluation.verdict.value,
        "verdict_text": labels.RANKING_VERDICTS.label(evaluation.verdict),
        "digest": found.model.digest,
        "artefact": None,
    }
