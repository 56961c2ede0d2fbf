"""A port on which the moods of running providers are read and changed.

`GET /` answers with all moods; `PUT /NAME` takes a mood as JSON and replaces it.
"""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import asdict

import msgspec
from aiohttp import web

from campaigns.simulators import moods
from campaigns.simulators.moods import MoodBox


class ControlPort:
    """Listens in a thread of its own.

    Args:
        boxes: Moods by the provider's name.
        port: 0 takes a free one; `port` holds it after `start`.
    """

    def __init__(self, boxes: Mapping[str, MoodBox], *, port: int = 0) -> None:
        """Keep the settings."""
        self.port = port
        self._boxes = boxes
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "ControlPort":
        """Listen; returns when requests are taken."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(timeout=10):
            raise RuntimeError("the control port did not open")
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop listening."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)

    def _run(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        runner = loop.run_until_complete(self._serve())
        self._loop = loop
        ready.set()
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(runner.cleanup())
            loop.close()

    async def _serve(self) -> web.AppRunner:
        application = web.Application()
        application.router.add_get("/", self._show)
        application.router.add_put("/{name}", self._change)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = runner.addresses[0][1]
        return runner

    async def _show(self, _request: web.Request) -> web.Response:
        content = {name: asdict(box.mood) for name, box in self._boxes.items()}
        return web.Response(body=msgspec.json.encode(content), content_type="application/json")

    async def _change(self, request: web.Request) -> web.Response:
        box = self._boxes.get(request.match_info["name"])
        if box is None:
            return web.Response(status=404)
        try:
            box.mood = moods.from_json(msgspec.json.decode(await request.read()))
        except (msgspec.DecodeError, ValueError) as err:
            return web.Response(status=400, text=str(err))
        return web.Response(status=204)
