"""Measure two versions of loancrm in turn on one machine: `make bench-against REF=<commit>`.

A machine is not equally fast at all times, so the versions take turns, each round begins with the
other one, and the medians are compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Benchmark -> the figure that says how fast it was. Of a rate more is better; where it is
# the seconds of several things, the less their sum is the better.
FIGURES = {
    "dispatch": "messages_per_second",
    "dispatch_sms": "messages_per_second",
    "plan": "rows_per_second",
    "import": "import_rows_per_second",
    "segments": "own_seconds",
}
SLOWER_BY = 0.05


def measure(folder: Path, name: str, scale: float) -> float:
    """Run one round of a benchmark in a checkout; return its figure."""
    command = ["manage.py", "bench", name, "--json", "--rounds", "1", "--scale", str(scale)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    content: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    figure = content[FIGURES[name]]
    return 1 / sum(figure.values()) if isinstance(figure, dict) else float(figure)


def compare(
    other: Path, name: str, *, rounds: int, scale: float, slower_by: float
) -> dict[str, Any]:
    """Return both versions' medians, their ratio, and whether this one is not slower."""
    rates: dict[Path, list[float]] = {ROOT: [], other: []}
    for number in range(rounds):
        for folder in (ROOT, other) if number % 2 else (other, ROOT):
            rates[folder].append(measure(folder, name, scale))
    here, there = statistics.median(rates[ROOT]), statistics.median(rates[other])
    return {
        "name": name,
        "figure": FIGURES[name],
        "here": round(here, 4),
        "there": round(there, 4),
        "ratio": round(here / there, 4),
        "met": here >= there * (1 - slower_by),
    }


def main() -> int:
    """Print one JSON object a benchmark; return 1 when this version is slower in any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout of the version to compare with")
    parser.add_argument("names", nargs="*", default=list(FIGURES), help=", ".join(FIGURES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--slower-by", type=float, default=SLOWER_BY, help="what is still met")
    options = parser.parse_args()
    is_met = True
    for name in options.names:
        report = compare(
            options.other,
            name,
            rounds=options.rounds,
            scale=options.scale,
            slower_by=options.slower_by,
        )
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()
        is_met = is_met and report["met"]
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
