"""One chaos run: faults at their pace while a campaign is under way, then calm, then the proof."""

import random
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from campaigns.chaos import faults, proof
from campaigns.chaos import stage as stages
from campaigns.chaos.faults import ChaosFault, Saboteur
from campaigns.chaos.proof import ChaosFindings
from campaigns.chaos.stage import ChaosStage
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import OPEN_STATES, DispatchStatus, HoldReason, MessageState
from campaigns.models import Campaign, Dispatch, Message
from campaigns.services.campaigns import ticking
from campaigns.services.channels import reopening
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor

# What a fault waits at most for something to be under way; then it comes to nothing.
_PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.25
# After the end: time for what should never come, a second copy out of an orphan.
_AFTERMATH_SECONDS = 3.0
# Holds that a run brings about itself; all others are somebody's fault.
_EXPECTED_HOLDS = frozenset({HoldReason.CHANNEL_BLOCKED})


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        count: People, each of whom gets three messages: two e-mails, and a text message through a
            gateway that knows keys or through one that does not.
        kills: SIGKILLs of workers; other faults come in proportion.
        pace_seconds: Between two faults.
        limit_seconds: The run ends after so long, whatever stands.
    """

    count: int
    kills: int
    seed: int
    pace_seconds: float
    limit_seconds: float


@dataclass
class ChaosRun:
    """A run under way."""

    order: Order
    stage: ChaosStage
    saboteur: Saboteur
    ends: float
    holds: Counter[str] = field(default_factory=Counter)

    @property
    def is_over_time(self) -> bool:
        """Return whether the time limit has passed."""
        return time.monotonic() >= self.ends

    def sabotage(self, planned: list[ChaosFault]) -> None:
        """Do the faults one by one, each while messages are under way."""
        while planned and not self.is_over_time and not self._is_finished():
            self._set_paces(len(planned))
            fault = planned.pop()
            self._watch(self.order.pace_seconds * self.saboteur.rng.uniform(0.5, 1.5))
            patience = time.monotonic() + _PATIENCE_SECONDS
            while time.monotonic() < patience and not self.is_over_time:
                if _is_under_way() and self.saboteur.do(fault):
                    break
                self._watch(_LOOK_SECONDS)
            else:
                # Not now; perhaps later, as long as something is left to interrupt.
                planned.insert(0, fault)

    def calm_down(self) -> None:
        """End all faults and wait until nothing is open."""
        for name in self.stage.gateways:
            self.saboteur.set_pace(name, 0.0)
        self.saboteur.undo_all()
        while not self.is_over_time and not self._is_finished():
            self._watch(1.0)
        self._watch(_AFTERMATH_SECONDS)

    def _watch(self, seconds: float) -> None:
        """Let time pass; look after processes, and be the person whom held dispatches wait for."""
        ends = time.monotonic() + seconds
        while True:
            self.saboteur.look_after()
            self._release_held()
            left = ends - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _LOOK_SECONDS))

    def _release_held(self) -> None:
        actor, now = system_actor("chaos"), clock.now()
        held = Dispatch.objects.filter(status=DispatchStatus.HELD).select_related(
            "campaign", "channel"
        )
        for dispatch in held:
            self.holds[dispatch.hold_reason] += 1
            if dispatch.channel is not None and dispatch.channel.blocked_at is not None:
                reopening.reopen_channel(channel=dispatch.channel, actor=actor, now=now)
            elif dispatch.campaign is not None:
                ticking.resume_campaign(campaign=dispatch.campaign, actor=actor, now=now)

    def _set_paces(self, faults_left: int) -> None:
        """Slow each provider down, so that there is work to interrupt until the last fault."""
        seconds = faults_left * self.order.pace_seconds * 1.2 + 5
        for name, campaign in self.stage.campaigns.items():
            left = _open_messages(campaign)
            slowest = self.stage.gateways[name].plan.slowest
            self.saboteur.set_pace(name, max(slowest, round(left / seconds, 1)))

    def _is_finished(self) -> bool:
        running = Campaign.objects.exclude(status=CampaignStatus.COMPLETED)
        return not running.exists() and not Message.objects.filter(state__in=OPEN_STATES).exists()


def run(order: Order) -> dict[str, Any]:
    """Run on the current (own, empty) database; return the report."""
    started = time.monotonic()
    rng = random.Random(order.seed)  # noqa: S311 - repeats with its seed
    with ExitStack() as resources:
        stage = stages.set_up(resources, count=order.count, seed=order.seed)
        saboteur = Saboteur(stage, rng)
        under_way = ChaosRun(order, stage, saboteur, started + order.limit_seconds)
        phases = {"set_up": time.monotonic() - started}
        planned = faults.schedule(
            order.kills, rng=rng, has_sessions=connection.vendor == "postgresql"
        )
        under_way.sabotage(planned)
        phases["faults"] = time.monotonic() - started
        under_way.calm_down()
        for worker in stage.workers:
            worker.resume()
    phases["calm"] = time.monotonic() - started
    return _report(under_way, phases)


def _report(under_way: ChaosRun, phases: Mapping[str, float]) -> dict[str, Any]:
    order, saboteur = under_way.order, under_way.saboteur
    total = ChaosFindings()
    by_gateway = {}
    gateways, campaigns = under_way.stage.gateways, under_way.stage.campaigns
    refused = proof.refused_by(gateways.values())
    for name, gateway in gateways.items():
        found = proof.prove(gateway, campaigns[name], count=order.count, refused=refused)
        by_gateway[name] = proof.as_json(found)
        total.add(found)
    unknown_bound = saboteur.on_the_wire + total.on_the_wire
    is_harmless = not (total.duplicates or total.lost or total.written_off or total.strangers)
    return {
        **proof.as_json(total),
        "unknown_bound": unknown_bound,
        "on_the_wire": {"workers": saboteur.on_the_wire, "gateways": total.on_the_wire},
        "kills": saboteur.kills,
        "seconds": round(phases["calm"], 1),
        "phases": {name: round(seconds, 1) for name, seconds in phases.items()},
        "faults": dict(sorted(saboteur.done.items())),
        "holds": dict(under_way.holds),
        "gateways": by_gateway,
        "database": connection.vendor,
        "seed": order.seed,
        "met": (
            is_harmless
            and total.is_balanced
            and len(total.unknown_messages) <= unknown_bound
            and saboteur.kills >= order.kills
            and set(under_way.holds) <= _EXPECTED_HOLDS
        ),
    }


def _open_messages(campaign: Campaign) -> int:
    return Message.objects.filter(dispatch__campaign=campaign, state__in=OPEN_STATES).count()


def _is_under_way() -> bool:
    return Message.objects.filter(state=MessageState.SENDING).exists()
