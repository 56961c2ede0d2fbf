"""Hold the coverage of a finished run to its floors: `make test COVERAGE=1`."""

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

# Part of a file's path -> least share of its lines and branches that tests run, in per cent.
FLOORS = {"/": 90.0, "/services/": 95.0}


def share(summaries: Collection[dict[str, Any]]) -> float:
    """Return how many of the lines and branches were run, in per cent."""

    def total(*kinds: str) -> int:
        return sum(summary[kind] for summary in summaries for kind in kinds)

    run = total("covered_lines", "covered_branches")
    return 100 * run / max(total("num_statements", "num_branches"), 1)


def main() -> int:
    """Print each share and the files that pull it down most; return 1 below a floor."""
    files = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["files"]
    is_met = True
    for part, floor in FLOORS.items():
        found = {name: each["summary"] for name, each in files.items() if part in f"/{name}"}
        reached = share(found.values())
        is_met = is_met and reached >= floor
        sys.stdout.write(f"{part:12} {reached:5.1f} % of {len(found)} files (floor {floor} %)\n")
        if reached < floor:
            worst = sorted(found, key=lambda name: -found[name]["missing_lines"])[:15]
            for name in worst:
                sys.stdout.write(f"  {found[name]['missing_lines']:4} lines missing in {name}\n")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
