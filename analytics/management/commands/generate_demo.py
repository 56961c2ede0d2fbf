"""Fill an empty database with made-up customers, loans, events and consents."""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from tqdm import tqdm

from analytics.management.demo import derivations
from customers.domain.demo import population
from customers.domain.demo.population import Story
from customers.services.demo import data
from loancrm.kernel import access, clock
from loancrm.kernel.commands import arguments, progress
from loancrm.kernel.commands.base import LoanCrmCommand


class Command(LoanCrmCommand):
    help = "Write believable Chinese customers with products, loans, events and consents."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customers", type=arguments.whole(1, 10_000_000), default=5000)
        parser.add_argument("--seed", type=arguments.seed, default=7)
        parser.add_argument(
            "--today",
            type=arguments.day,
            help="the last day on which anything has happened (YYYY-MM-DD; default: yesterday)",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        count, seed = options["customers"], options["seed"]
        actor = access.system_actor("command:generate_demo")
        today = options["today"] or clock.today() - timedelta(days=1)
        with progress.bar(total=count, description="customers", unit="customer") as bar:
            counts = data.write_population(
                actor=actor,
                stories=_counted(population.generate(count=count, seed=seed, today=today), bar),
                now=clock.now(),
            )
        derivations.derive_everything(actor=actor, as_of=clock.today(), now=clock.now())
        if options["json"]:
            self.print_json(asdict(counts))
            return
        for name, value in asdict(counts).items():
            self.stdout.write(f"{name:>16} {value:>8}")


def _counted(stories: Iterator[Story], bar: "tqdm[Any]") -> Iterator[Story]:
    for story in stories:
        yield story
        bar.update()
