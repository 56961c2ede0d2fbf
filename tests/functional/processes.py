"""Running the product's own commands as processes, apart from the test database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MANAGE = (sys.executable, str(ROOT / "manage.py"))
_REMOVED = ("DATABASE_URL", "REDIS_URL", "LOANCRM_TEST_DB")


def environment(folder: Path) -> dict[str, str]:
    """Settings of an installation of its own in a folder."""
    own = {name: value for name, value in os.environ.items() if name not in _REMOVED}
    return own | {
        "DJANGO_SETTINGS_MODULE": "loancrm.settings.dev",
        "LOANCRM_VAR_DIR": str(folder),
        "LOANCRM_DEBUG": "0",
    }


@contextmanager
def started(*words: str, folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a management command for the length of the block; its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*MANAGE, *words], env=environment(folder), stdout=output, stderr=output, cwd=ROOT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=45)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
