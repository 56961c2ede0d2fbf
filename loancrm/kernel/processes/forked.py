"""Pure work shared among processes of this machine: one interpreter computes on one core only.

`multiprocessing` refuses to start processes inside a Celery worker, which is where long work runs.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Final

_MAX_PROCESSES: Final = 4


def process_count() -> int:
    """Return how many processes are worth starting: 1 where there is one core or no fork."""
    return min(os.cpu_count() or 1, _MAX_PROCESSES) if hasattr(os, "fork") else 1


@contextmanager
def forked(work: Callable[[Any], Any], count: int) -> Iterator[Callable[[Any], Future[Any]]]:
    """Yield a function that hands a task to one of `count` copies of this process.

    The copies know what this process knows now. They may use neither the database nor any other
    connection of it, and end with the block or with this process. What the work raises is raised by
    the task's future; `EOFError` where a copy was killed.

    Args:
        work: Gets a task, returns its result; both must be picklable.
    """
    idle: SimpleQueue[Connection] = SimpleQueue()
    copies: list[tuple[int, Connection]] = []

    def ask(task: Any) -> Any:
        connection = idle.get()
        try:
            connection.send(task)
            is_done, result = connection.recv()
        finally:
            idle.put(connection)
        if is_done:
            return result
        raise result

    try:
        for _ in range(count):
            copies.append(_copy(work, [other for _pid, other in copies]))
            idle.put(copies[-1][1])
        with ThreadPoolExecutor(count, thread_name_prefix="forked") as threads:
            try:
                yield lambda task: threads.submit(ask, task)
            finally:
                threads.shutdown(wait=True, cancel_futures=True)
    finally:
        for pid, connection in copies:
            connection.close()
            os.waitpid(pid, 0)


def _copy(work: Callable[[Any], Any], others: list[Connection]) -> tuple[int, Connection]:
    """Fork; return the copy's process id and the connection to it."""
    ours, theirs = Pipe()
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, ours
    code = 1
    try:
        # A copy that kept these ends would keep the other copies waiting when their parent is gone.
        for end in (ours, *others):
            end.close()
        # What is asked of the worker is the worker's to answer; copies end when it does.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _serve(work, theirs)
        code = 0
    finally:
        os._exit(code)


def _serve(work: Callable[[Any], Any], tasks: Connection) -> None:
    while True:
        try:
            task = tasks.recv()
        except EOFError:
            return
        try:
            answer = (True, work(task))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the result
            answer = (False, error)
        tasks.send(answer)
