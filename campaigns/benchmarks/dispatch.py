"""The whole sending path against a bare loop and against one task a message, in the same run.

The bare loop is pipelined SMTP (RFC 2920) as one would write it by hand with asyncio. loancrm's own
client costs less and uses CHUNKING (RFC 3030) where a relay offers it, so a bare loop over that
client is shown as well.
"""

import time
from contextlib import ExitStack

from django.core.management import call_command

from campaigns.benchmarks import audience, bare_loop
from campaigns.benchmarks import stack as stacks
from campaigns.benchmarks.stack import Round, Stack
from campaigns.benchmarks.task_per_message import send_one
from campaigns.channels.smtp_options import SmtpOptions
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

FULL = 20_000
GOALS = (
    BenchGoal("ratio_to_bare_loop", 0.6),
    BenchGoal("ratio_to_task_per_message", 8.0),
    BenchGoal("cpu_ms_per_message", 0.7, at_least=False),
    BenchGoal("peak_rss_mb", 250.0, at_least=False),
    BenchGoal("duplicates", 0, at_least=False),
    BenchGoal("lost", 0, at_least=False),
)


def run(*, scale: float, rounds: int, latency_ms: float, name: str) -> BenchReport:
    """Measure on the current (own, empty) database; needs its migrations applied.

    Args:
        scale: 1 is 20,000 messages.
        latency_ms: How long the relay takes to answer.
        name: `dispatch` or `dispatch_slow`.
    """
    count = max(200, int(FULL * scale))
    naive_count = max(50, count // 20)
    connections = 64 if latency_ms else 8
    call_command("migrate", verbosity=0)
    audience.make_people(count, "email")
    started = time.monotonic()
    bare: list[float] = []
    with_own_client: list[float] = []
    naive: list[float] = []
    own: list[Round] = []
    with ExitStack() as resources:
        stack = stacks.start(resources, channel="email", latency_ms=latency_ms)
        port = stack.ports["smtp_port"]
        options = SmtpOptions(port=port, connections=connections)
        audience.make_rule()
        audience.make_channel(
            kind="email", backend="smtp", options={"port": port, "connections": connections}
        )
        for number in range(rounds):
            for rates, has_own_client in ((bare, False), (with_own_client, True)):
                seconds = bare_loop.run(count=count, options=options, has_own_client=has_own_client)
                rates.append(count / seconds)
            own.append(stacks.send_campaign(stack, number, count))
            naive.append(naive_count / _send_one_by_one(stack, naive_count))
    report = BenchReport(name=name, scale=scale, goals=_goals(name))
    report.seconds = time.monotonic() - started
    report.figures = _figures(own, bare, with_own_client, naive)
    report.ratios = {
        key: report.figures[key] for key in ("ratio_to_bare_loop", "ratio_to_task_per_message")
    }
    report.memory_mb = report.figures["peak_rss_mb"]
    return report


def _figures(
    own: list[Round], bare: list[float], with_own_client: list[float], naive: list[float]
) -> dict[str, float]:
    rates = [item.sent / item.seconds for item in own]

    def ratio(baseline: list[float]) -> float:
        return bench.median([a / b for a, b in zip(rates, baseline, strict=True)])

    return {
        "messages_per_second": bench.median(rates),
        "cpu_ms_per_message": bench.median(
            [1000 * item.cpu_seconds / max(item.sent, 1) for item in own]
        ),
        "peak_rss_mb": round(max(item.peak_mb for item in own), 1),
        "ratio_to_bare_loop": ratio(bare),
        "ratio_to_task_per_message": ratio(naive),
        "ratio_to_bare_loop_with_own_client": ratio(with_own_client),
        "sent": sum(item.sent for item in own),
        "duplicates": sum(item.duplicates for item in own),
        "lost": sum(item.lost for item in own),
        "bare_messages_per_second": bench.median(bare),
        "task_messages_per_second": bench.median(naive),
    }


def _goals(name: str) -> tuple[BenchGoal, ...]:
    if name == "dispatch_slow":
        return (BenchGoal("ratio_to_task_per_message", 8.0), *GOALS[4:])
    return GOALS


def _send_one_by_one(stack: Stack, count: int) -> float:
    before = stack.received()
    started = time.monotonic()
    for number in range(count):
        send_one.apply_async(
            kwargs={"number": number, "port": stack.ports["smtp_port"]}, queue="default"
        )
    bench.wait_until(lambda: stack.received() >= before + count, seconds=600)
    return time.monotonic() - started
