"""Score the rows of a CSV file with a trained model."""

from typing import Any

from django.core.management.base import CommandParser

from analytics.services.modelling import files
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    uses_data = False
    help = "Write probability, points, band and reasons of every row of a CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", type=arguments.file, help="a file that train_model wrote")
        parser.add_argument("file", type=arguments.file)
        parser.add_argument("out", type=arguments.new_file)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        model = files.read_model_file(options["model"])
        found = files.score_file(model=model, path=options["file"], out=options["out"])
        if options["json"]:
            self.print_json(
                {
                    "rows": found.rows,
                    "unknown_words": dict(found.unknown_words),
                    "unreadable": dict(found.unreadable),
                    "digest": model.digest,
                    "out": str(options["out"]),
                }
            )
            return
        self.stdout.write(f"rows scored: {found.rows}")
        for name, count in found.unknown_words.items():
            self.stdout.write(f"{name}: {count} rows with a word that the model does not know")
        for name, count in found.unreadable.items():
            self.stdout.write(f"{name}: {count} rows with something that is no number")
