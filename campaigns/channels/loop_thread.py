"""One event loop in a thread of its own, for channels that keep connections open."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")


class LoopThread:
    """Starts its thread with the first use in each process, so it may be made before a fork."""

    def __init__(self, name: str) -> None:
        """Keep the name; nothing is started yet."""
        self._name = name
        self._lock = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Return whether this very process has a running loop."""
        return self._loop is not None and self._pid == os.getpid()

    def ensure(self) -> tuple[asyncio.AbstractEventLoop, bool]:
        """Return the loop and whether it was started by this call."""
        loop = self._loop
        if loop is not None and self._pid == os.getpid():
            return loop, False
        if self._pid != os.getpid():
            # The lock may have been held by another thread of the parent at the fork.
            self._lock = threading.Lock()
        with self._lock:
            if self._loop is not None and self._pid == os.getpid():
                return self._loop, False
            started = threading.Event()
            loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._run, args=(loop, started), name=self._name, daemon=True
            )
            self._thread.start()
            started.wait()
            self._loop, self._pid = loop, os.getpid()
            return loop, True

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Run a function in the loop soon."""
        self.ensure()[0].call_soon_threadsafe(function, *arguments)

    def run(self, work: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Run a coroutine in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.ensure()[0])

    def stop(self) -> None:
        """Stop the loop and wait for its thread; the next use starts a new one."""
        with self._lock:
            loop, thread = self._loop, self._thread
            is_ours = self._pid == os.getpid()
            self._loop = self._thread = None
        if loop is None or thread is None or not is_ours:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop, started: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(started.set)
        try:
            loop.run_forever()
        finally:
            pending = asyncio.all_tasks(loop)
            for task in pending:
                task.cancel()
            if pending:
                loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
