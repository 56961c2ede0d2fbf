"""The same campaign without any service: SQLite and a broker of files, against PostgreSQL."""

import time

from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

GOALS = (BenchGoal("ratio_to_postgresql", 0.5),)
_SERVICES = ("DATABASE_URL", "REDIS_URL")


def run(*, scale: float, rounds: int, variables: dict[str, str]) -> BenchReport:
    """Measure `dispatch` on the services of the environment and without them, in turn.

    Raises:
        ValueError: The environment names no PostgreSQL to compare with.
    """
    if not variables.get("DATABASE_URL", "").startswith("postgres"):
        raise ValueError("set DATABASE_URL and REDIS_URL to the services to compare with")
    alone = {name: value for name, value in variables.items() if name not in _SERVICES}
    started = time.monotonic()
    rates: dict[str, list[float]] = {"services": [], "embedded": []}
    for _number in range(rounds):
        for name, environment in (("services", variables), ("embedded", alone)):
            arguments = ["bench", "dispatch", "--json", "--rounds", "1", "--scale", str(scale)]
            rates[name].append(bench.run_inner(arguments, environment)["messages_per_second"])
    report = BenchReport(name="dispatch_embedded", scale=scale, goals=GOALS)
    report.seconds = time.monotonic() - started
    report.figures = {
        "messages_per_second": bench.median(rates["embedded"]),
        "postgresql_messages_per_second": bench.median(rates["services"]),
    }
    pairs = zip(rates["embedded"], rates["services"], strict=True)
    report.ratios = {"ratio_to_postgresql": bench.median([mine / theirs for mine, theirs in pairs])}
    return report
