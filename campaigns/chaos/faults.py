"""The faults of a chaos run: what is done to workers, database, broker and providers."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import connection

from campaigns.chaos.stage import ChaosStage, Worker
from campaigns.domain.sending.states import ChunkState, MessageState
from campaigns.models import Chunk
from campaigns.services.sending import chunks
from campaigns.simulators import moods
from campaigns.simulators.moods import Mood
from loancrm.kernel.running import guardian

STOP_SECONDS = 15.0
MOOD_SECONDS = 4.0
SILENCE_SECONDS = 2.0
LOCK_SECONDS = 3.0


class ChaosFault(StrEnum):
    """What can be done to a running installation."""

    KILL_CHILD = "kill_child"
    KILL_MAIN = "kill_main"
    KILL_ALL = "kill_all"
    STOP = "stop"
    RESTART = "restart"
    CUT_DATABASE = "cut_database"
    LOCK_DATABASE = "lock_database"
    EMPTY_BROKER = "empty_broker"
    MOOD = "mood"
    SILENCE = "silence"


KILLS = (ChaosFault.KILL_CHILD, ChaosFault.KILL_MAIN, ChaosFault.KILL_ALL)
_KILL_WEIGHTS = (5, 1, 3)
# "silent" is a fault of its own; policy refusals hold a dispatch until a person looks.
_MOODS = tuple(name for name in moods.PRESETS if name not in {"calm", "silent", "forgetful"})


def schedule(kills: int, *, rng: random.Random, has_sessions: bool) -> list[ChaosFault]:
    """Return the faults of a run in their order: the kills, and others in proportion.

    Args:
        has_sessions: The database has sessions to cut (PostgreSQL); otherwise it is locked.
    """
    faults = rng.choices(KILLS, _KILL_WEIGHTS, k=kills)
    database = ChaosFault.CUT_DATABASE if has_sessions else ChaosFault.LOCK_DATABASE
    others = {
        ChaosFault.STOP: max(1, kills // 15),
        ChaosFault.RESTART: max(1, kills // 12),
        database: max(1, kills // 6),
        ChaosFault.EMPTY_BROKER: max(1, kills // 12),
        ChaosFault.MOOD: max(3, kills // 2),
        ChaosFault.SILENCE: max(1, kills // 25),
    }
    for fault, number in others.items():
        faults += [fault] * number
    rng.shuffle(faults)
    return faults


@dataclass
class Saboteur:
    """Does the faults, and keeps what each can have left without an answer.

    Attributes:
        done: Faults that were done, by kind.
        on_the_wire: Messages that were under way in processes that were killed or stopped.
    """

    stage: ChaosStage
    rng: random.Random
    done: Counter[str] = field(default_factory=Counter)
    on_the_wire: int = 0
    pace: dict[str, float] = field(default_factory=dict)
    current: dict[str, Mood] = field(default_factory=dict)
    _later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Return how many kills were done."""
        return sum(self.done[kill] for kill in KILLS)

    def look_after(self) -> None:
        """Undo what is over, and start again what was killed."""
        now = time.monotonic()
        due = [action for at, action in self._later if at <= now]
        self._later = [(at, action) for at, action in self._later if at > now]
        for action in due:
            action()
        for worker in self.stage.workers:
            if not worker.is_alive():
                worker.start()

    def undo_all(self) -> None:
        """End every fault that is still on."""
        later, self._later = self._later, []
        for _at, action in later:
            action()
        for name in self.stage.gateways:
            self._put(name, moods.CALM)

    def set_pace(self, name: str, messages_per_second: float) -> None:
        """Let a provider take so many messages a second, in whatever mood; 0 for any number."""
        self.pace[name] = messages_per_second
        self._put(name, self.current.get(name, moods.CALM))

    def do(self, fault: ChaosFault) -> bool:
        """Do a fault; return False when there is nothing to do it to right now."""
        deeds: dict[ChaosFault, Callable[[], bool]] = {
            ChaosFault.STOP: self._stop,
            ChaosFault.RESTART: self._restart,
            ChaosFault.CUT_DATABASE: self._cut_sessions,
            ChaosFault.LOCK_DATABASE: self._lock_database,
            ChaosFault.EMPTY_BROKER: _empty_broker,
            ChaosFault.MOOD: lambda: self._mood(self.rng.choice(_MOODS), MOOD_SECONDS),
            ChaosFault.SILENCE: lambda: self._mood("silent", SILENCE_SECONDS),
        }
        is_done = self._kill(fault) if fault in KILLS else deeds[fault]()
        self.done[fault] += is_done
        return is_done

    def _kill(self, fault: ChaosFault) -> bool:
        worker = self._pick()
        if worker is None:
            return False
        busy = [pid for pid in worker.children() if _chunks_of([pid])]
        if not busy:
            return False
        family = [worker.pid, *worker.children()]
        hit = {
            ChaosFault.KILL_CHILD: [self.rng.choice(busy)],
            ChaosFault.KILL_MAIN: [worker.pid],
        }.get(fault, family)
        for pid in hit:
            _send(pid, signal.SIGKILL)
        # Children whose main process is gone end at their next look at it.
        self._note_wire(hit if fault is ChaosFault.KILL_CHILD else family)
        return True

    def _stop(self) -> bool:
        worker = self._pick()
        if worker is None:
            return False
        family = [worker.pid, *worker.children()]
        for pid in family:
            _send(pid, signal.SIGSTOP)
        worker.stopped.update(family)
        self._note_wire(family)
        self._in(STOP_SECONDS, worker.resume)
        return True

    def _restart(self) -> bool:
        """Ask a worker to end, as an upgrade does.

        It settles what is under way, so nothing of it may be left without an answer.
        """
        worker = self._pick()
        if worker is None:
            return False
        _send(worker.pid, signal.SIGTERM)
        return True

    def _pick(self) -> Worker | None:
        """Return a worker that runs, by chance among those that do."""
        ready = [w for w in self.stage.workers if w.is_ready() and not w.stopped]
        return self.rng.choice(ready) if ready else None

    def _note_wire(self, pids: Iterable[int]) -> None:
        """Add what was handed over and not settled; a provider that knows keys can be asked."""
        for chunk in _chunks_of(pids):
            channel = chunk.dispatch.channel
            if channel is None or self.stage.gateways[channel.slug].plan.knows_keys:
                continue
            marked = chunks.in_chunk(chunk).filter(state=MessageState.SENDING)
            self.on_the_wire += marked.count()

    def _cut_sessions(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND random() < 0.7"
            )
            return bool(cursor.fetchone()[0])

    def _lock_database(self) -> bool:
        """Keep every other writer out for a while, as a slow disk does."""
        with connection.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            time.sleep(LOCK_SECONDS)
            cursor.execute("ROLLBACK")
        return True

    def _mood(self, preset: str, seconds: float) -> bool:
        name = self.rng.choice(list(self.stage.gateways))
        self._put(name, moods.PRESETS[preset])
        self.done[f"mood_{preset}"] += 1
        self._in(seconds, lambda: self._put(name, moods.CALM))
        return True

    def _put(self, name: str, mood: Mood) -> None:
        self.current[name] = mood
        paced = replace(mood, messages_per_second=self.pace.get(name, 0.0))
        self.stage.gateways[name].put(paced)

    def _in(self, seconds: float, action: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, action))


def _chunks_of(pids: Iterable[int]) -> list[Chunk]:
    """Return the chunks that processes hold."""
    wanted = {str(pid) for pid in pids}
    held = Chunk.objects.filter(state=ChunkState.LEASED).select_related("dispatch__channel")
    return [chunk for chunk in held if _process_of(chunk) in wanted]


def _process_of(chunk: Chunk) -> str:
    """Return the process in the name of a claim, which is `host:process/number of the claim`."""
    return chunk.claimed_by.rpartition(":")[2].partition("/")[0]


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _empty_broker() -> bool:
    """Remove every job that waits; only what carries this run's prefix or lies in its folder."""
    if settings.REDIS_URL:
        guardian.remove_keys(settings.REDIS_URL, settings.LOANCRM_BROKER_PREFIX)
        return True
    folder = Path(settings.LOANCRM_VAR_DIR) / "broker" / "queue"
    for file in folder.glob("*.msg"):
        file.unlink(missing_ok=True)
    return True
