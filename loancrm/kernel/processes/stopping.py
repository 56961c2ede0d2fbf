"""Whether this process, or the worker that it belongs to, was asked to stop.

A worker's pool processes never see its SIGTERM: they are to finish their jobs. A byte that is
shared with everything forked after this module was loaded tells them to finish soon.
"""

import mmap

_flag = mmap.mmap(-1, 1)


def request() -> None:
    """Ask this process and its pool to stop as soon as what is under way allows."""
    _flag[0] = 1


def is_requested() -> bool:
    """Return whether that was asked."""
    return bool(_flag[0])


def forget() -> None:
    """Start anew: a worker's own start, and tests."""
    _flag[0] = 0
