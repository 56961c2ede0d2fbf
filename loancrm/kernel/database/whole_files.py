"""Files that are whole or not there: a command that dies leaves none that looks finished."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(target: Path, *, mode: int = 0o666) -> Iterator[Path]:
    """Yield where to write; what was written takes the target's place at the end of the block.

    The name of the unfinished file is always the same, so that the next run clears away what a
    killed one has left. What is no file, such as a pipe, is written directly.

    Args:
        mode: Who may read it, before the process's own mask.
    """
    if target.exists() and not target.is_file():
        yield target
        return
    unfinished = target.with_name(f".{target.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=mode)
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
