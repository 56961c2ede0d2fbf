"""Run an SMTP sink and an SMS gateway on the loopback."""

import json
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from campaigns.simulators import audience, evidence, moods
from campaigns.simulators.audience import ReceivedMessage, Shares
from campaigns.simulators.behaviour import Behaviour
from campaigns.simulators.control import ControlPort
from campaigns.simulators.moods import MoodBox
from campaigns.simulators.reporter import Reporter, ReporterOptions
from campaigns.simulators.sms_gateway import SmsGateway
from campaigns.simulators.smtp_sink import SmtpSink
from campaigns.simulators.webhook_receiver import WebhookReceiver
from loancrm.kernel import clock
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import WRONG_ARGUMENT, LoanCrmCommand

_SHARES = ("fail", "retry", "undelivered", "click", "reply", "unsubscribe", "complain")
_STATS_SECONDS = 0.25
_PROVIDERS = ("smtp", "sms")


class Command(LoanCrmCommand):
    uses_data = False
    help = (
        "Run simulated providers for development: an SMTP sink and an SMS gateway that answer, "
        "delay and fail as told, in moods that can be changed while they run, and send signed "
        "reports and replies. Prints their ports as one JSON line."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--smtp-port", type=arguments.whole(0, 65535), default=1025, help="0 takes a free port"
        )
        parser.add_argument(
            "--sms-port", type=arguments.whole(0, 65535), default=0, help="0 takes a free port"
        )
        parser.add_argument(
            "--webhook-port",
            type=arguments.whole(0, 65535),
            help="be a lender's own endpoint, too; 0 takes a free port",
        )
        parser.add_argument("--webhook-channel", default="own", help="slug in the reports' address")
        parser.add_argument("--webhook-secret", default="", help="signs reports, checks requests")
        parser.add_argument(
            "--latency-ms", type=arguments.number(), default=0.0, help="of every answer"
        )
        parser.add_argument("--no-pipelining", action="store_true", help="as old relays")
        parser.add_argument("--no-chunking", action="store_true", help="as older relays")
        for name in _SHARES:
            parser.add_argument(
                f"--{name}-share", type=arguments.number(0, 1), default=0.0, metavar="0..1"
            )
        parser.add_argument("--receipts-to", default="", help="base address of loancrm")
        parser.add_argument("--receipt-delay-ms", type=arguments.number(), default=0.0)
        parser.add_argument("--smtp-channel", default="email", help="slug in the reports' address")
        parser.add_argument("--sms-channel", default="sms", help="slug in the reports' address")
        parser.add_argument("--smtp-secret", default="", help="signs reports about e-mail")
        parser.add_argument("--sms-secret", default="", help="signs reports, checks requests")
        parser.add_argument(
            "--record", type=arguments.new_file, help="add every message to this JSON lines file"
        )
        parser.add_argument(
            "--stats", type=arguments.new_file, help="keep counts in this JSON file"
        )
        parser.add_argument(
            "--log-dir",
            type=arguments.new_folder,
            help="what each did with each message: smtp.jsonl, sms.jsonl",
        )
        names = ", ".join(moods.PRESETS)
        for name in _PROVIDERS:
            parser.add_argument(
                f"--{name}-mood", default="calm", help=f"a JSON object or one of: {names}"
            )
        parser.add_argument(
            "--seed", type=arguments.seed, default=0, help="of what moods leave to chance"
        )
        parser.add_argument(
            "--control-port",
            type=arguments.whole(0, 65535),
            help="take moods at PUT /smtp and /sms; 0 takes a free port",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        shares = {name: options[f"{name}_share"] for name in _SHARES}
        behaviour = Behaviour(
            latency_seconds=options["latency_ms"] / 1000,
            fail_share=shares.pop("fail"),
            retry_share=shares.pop("retry"),
        )
        reporter = self._reporter(options, Shares(**shares))
        boxes = {name: _box(options, name) for name in _PROVIDERS}
        with ExitStack() as resources:
            logs = {name: _log(options["log_dir"], name, resources) for name in _PROVIDERS}
            sink = SmtpSink(
                port=options["smtp_port"],
                behaviour=behaviour,
                pipelining=not options["no_pipelining"],
                chunking=not options["no_chunking"],
                moods=boxes["smtp"],
                log=logs["smtp"],
            )
            gateway = SmsGateway(
                port=options["sms_port"],
                behaviour=behaviour,
                secret=options["sms_secret"],
                moods=boxes["sms"],
                log=logs["sms"],
            )
            if reporter is not None:
                sink.on_message = _noting(
                    reporter, boxes["smtp"], audience.read_email, options["smtp_channel"]
                )
                gateway.on_message = _noting(
                    reporter, boxes["sms"], audience.read_sms, options["sms_channel"]
                )
                reporter.start()
            resources.enter_context(sink)
            resources.enter_context(gateway)
            receiver = None
            if options["webhook_port"] is not None:
                receiver = _receiver(options, behaviour, reporter, boxes["sms"])
                resources.enter_context(receiver)
            control = None
            if options["control_port"] is not None:
                control = resources.enter_context(ControlPort(boxes, port=options["control_port"]))
            self._serve(sink, gateway, reporter, _more_ports(receiver, control), options["stats"])

    def _reporter(self, options: dict[str, Any], shares: Shares) -> Reporter | None:
        if not options["receipts_to"] and options["record"] is None:
            return None
        return Reporter(
            ReporterOptions(
                receipts_to=options["receipts_to"],
                secrets={
                    options["smtp_channel"]: options["smtp_secret"],
                    options["sms_channel"]: options["sms_secret"],
                    options["webhook_channel"]: options["webhook_secret"],
                },
                delay_seconds=options["receipt_delay_ms"] / 1000,
                shares=shares,
                record=options["record"],
            ),
            clock=clock.now,
        )

    def _serve(
        self,
        sink: SmtpSink,
        gateway: SmsGateway,
        reporter: Reporter | None,
        more_ports: dict[str, Any],
        stats: Path | None,
    ) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_ignored: stopping.set())
        ports = {"smtp_port": sink.port, "sms_port": gateway.port, "sms_url": gateway.url}
        self.print_json(ports | more_ports)
        self.stdout.flush()
        while not stopping.wait(_STATS_SECONDS):
            _write_stats(sink, gateway, reporter, stats)
        if reporter is not None:
            reporter.stop()
        _write_stats(sink, gateway, reporter, stats)


def _box(options: dict[str, Any], name: str) -> MoodBox:
    try:
        mood = moods.parse(options[f"{name}_mood"])
    except ValueError as err:
        raise CommandError(f"argument_wrong: {err}", returncode=WRONG_ARGUMENT) from err
    return MoodBox(mood, seed=options["seed"])


def _receiver(
    options: dict[str, Any], behaviour: Behaviour, reporter: Reporter | None, box: MoodBox
) -> WebhookReceiver:
    """Return a lender's own endpoint, in the mood of the SMS gateway."""
    receiver = WebhookReceiver(
        port=options["webhook_port"],
        behaviour=behaviour,
        secret=options["webhook_secret"],
        moods=box,
    )
    if reporter is not None:
        receiver.on_message = _noting(reporter, box, audience.read_sms, options["webhook_channel"])
    return receiver


def _more_ports(receiver: WebhookReceiver | None, control: ControlPort | None) -> dict[str, Any]:
    ports: dict[str, Any] = {}
    if receiver is not None:
        ports |= {"webhook_port": receiver.port, "webhook_url": receiver.url}
    if control is not None:
        ports["control_port"] = control.port
    return ports


def _log(folder: Path | None, name: str, resources: ExitStack) -> evidence.Log | None:
    if folder is None:
        return None
    log = evidence.Log(folder / f"{name}.jsonl")
    resources.callback(log.close)
    return log


def _noting(
    reporter: Reporter, box: MoodBox, read: Callable[[str, Any], ReceivedMessage], channel: str
) -> Callable[[Any], None]:
    """Return what hands a message on to the reporter, in the mood of its provider."""

    def note(message: Any) -> None:
        reporter.note(
            partial(read, channel, message),
            delay_seconds=box.mood.report_delay_seconds,
            times=box.mood.report_times,
        )

    return note


def _write_stats(
    sink: SmtpSink, gateway: SmsGateway, reporter: Reporter | None, path: Path | None
) -> None:
    if path is None:
        return
    content = {
        "smtp": sink.stats.as_dict(),
        "sms": {
            "messages": gateway.taken_count,
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
