"""Run an SMTP sink and an SMS gateway on the loopback."""

import json
import signal
import threading
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from campaigns.simulators import audience
from campaigns.simulators.audience import Shares
from campaigns.simulators.behaviour import Behaviour
from campaigns.simulators.reporter import Reporter, ReporterOptions
from campaigns.simulators.sms_gateway import SmsGateway
from campaigns.simulators.smtp_sink import SmtpSink
from loancrm.kernel import clock
from loancrm.kernel.commands import LoanCrmCommand

_SHARES = ("fail", "retry", "undelivered", "click", "reply", "unsubscribe", "complain")
_STATS_SECONDS = 0.25


class Command(LoanCrmCommand):
    help = (
        "Run simulated providers for development: an SMTP sink and an SMS gateway that answer, "
        "delay and fail as told and send signed reports and replies. Prints their ports as one "
        "JSON line."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--smtp-port", type=int, default=1025, help="0 takes a free port")
        parser.add_argument("--sms-port", type=int, default=0, help="0 takes a free port")
        parser.add_argument("--latency-ms", type=float, default=0.0, help="of every answer")
        parser.add_argument("--no-pipelining", action="store_true", help="as old relays")
        parser.add_argument("--no-chunking", action="store_true", help="as older relays")
        for name in _SHARES:
            parser.add_argument(f"--{name}-share", type=float, default=0.0, metavar="0..1")
        parser.add_argument("--receipts-to", default="", help="base address of loancrm")
        parser.add_argument("--receipt-delay-ms", type=float, default=0.0)
        parser.add_argument("--smtp-channel", default="email", help="slug in the reports' address")
        parser.add_argument("--sms-channel", default="sms", help="slug in the reports' address")
        parser.add_argument("--smtp-secret", default="", help="signs reports about e-mail")
        parser.add_argument("--sms-secret", default="", help="signs reports, checks requests")
        parser.add_argument("--record", type=Path, help="add every message to this JSON lines file")
        parser.add_argument("--stats", type=Path, help="keep counts in this JSON file")

    def handle(self, *args: Any, **options: Any) -> None:
        shares = {name: options[f"{name}_share"] for name in _SHARES}
        if not all(0 <= share <= 1 for share in shares.values()):
            raise CommandError("arguments_invalid: a share must be between 0 and 1")
        behaviour = Behaviour(
            latency_seconds=options["latency_ms"] / 1000,
            fail_share=shares.pop("fail"),
            retry_share=shares.pop("retry"),
        )
        reporter = self._reporter(options, Shares(**shares))
        sink = SmtpSink(
            port=options["smtp_port"],
            behaviour=behaviour,
            pipelining=not options["no_pipelining"],
            chunking=not options["no_chunking"],
        )
        gateway = SmsGateway(
            port=options["sms_port"], behaviour=behaviour, secret=options["sms_secret"]
        )
        if reporter is not None:
            sink.on_message = lambda message: reporter.note(
                partial(audience.read_email, options["smtp_channel"], message)
            )
            gateway.on_message = lambda message: reporter.note(
                partial(audience.read_sms, options["sms_channel"], message)
            )
            reporter.start()
        with sink, gateway:
            self._serve(sink, gateway, reporter, options["stats"])

    def _reporter(self, options: dict[str, Any], shares: Shares) -> Reporter | None:
        if not options["receipts_to"] and options["record"] is None:
            return None
        return Reporter(
            ReporterOptions(
                receipts_to=options["receipts_to"],
                secrets={
                    options["smtp_channel"]: options["smtp_secret"],
                    options["sms_channel"]: options["sms_secret"],
                },
                delay_seconds=options["receipt_delay_ms"] / 1000,
                shares=shares,
                record=options["record"],
            ),
            clock=clock.now,
        )

    def _serve(
        self, sink: SmtpSink, gateway: SmsGateway, reporter: Reporter | None, stats: Path | None
    ) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_ignored: stopping.set())
        self.print_json({"smtp_port": sink.port, "sms_port": gateway.port, "sms_url": gateway.url})
        self.stdout.flush()
        while not stopping.wait(_STATS_SECONDS):
            _write_stats(sink, gateway, reporter, stats)
        if reporter is not None:
            reporter.stop()
        _write_stats(sink, gateway, reporter, stats)


def _write_stats(
    sink: SmtpSink, gateway: SmsGateway, reporter: Reporter | None, path: Path | None
) -> None:
    if path is None:
        return
    content = {
        "smtp": sink.stats.as_dict(),
        "sms": {
            "messages": len(gateway.messages),
            "requests": gateway.requests,
            "repeated": gateway.repeated,
        },
        "reports": dict(reporter.done) if reporter is not None else {},
        "waiting": reporter.waiting if reporter is not None else 0,
    }
    # A reader never sees half a file.
    partial_path = path.with_suffix(path.suffix + ".part")
    partial_path.write_text(json.dumps(content), encoding="utf-8")
    partial_path.replace(path)
