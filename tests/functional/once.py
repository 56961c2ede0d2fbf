"""What is made once in a run of tests, by whichever worker, and copied by all who need it."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_PREFIX = "loancrm-run-"


def copy_of(name: str, make: Callable[[Path], None], into: Path) -> None:
    """Copy a folder's content, which the first worker that asks has made.

    Args:
        name: What it is; its maker must be the same for all who ask for it.
        make: Fills an empty folder.
        into: The folder to copy to; it is there.
    """
    shared = run_folder()
    shared.mkdir(exist_ok=True)
    kept, growing = shared / name, shared / f"{name}.growing"
    with (shared / f"{name}.lock").open("w") as lock:
        # Gives way when the file is closed, by a killed worker too.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            shutil.rmtree(growing, ignore_errors=True)
            growing.mkdir()
            make(growing)
            growing.rename(kept)
    shutil.copytree(kept, into, dirs_exist_ok=True)


def run_folder() -> Path:
    """Return the folder of this run, named by the process that all its workers are children of."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    run = os.getppid() if is_worker else os.getpid()
    return Path(tempfile.gettempdir()) / f"{_PREFIX}{run}"


def sweep() -> None:
    """Remove what this run has made, and what was left by runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        run = folder.name.removeprefix(_PREFIX)
        if folder == run_folder() or not Path("/proc", run).exists():
            shutil.rmtree(folder, ignore_errors=True)
