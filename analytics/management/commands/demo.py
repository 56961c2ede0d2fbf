"""Show the whole job on made-up customers: segments, campaigns, sending, outcomes, reports."""

import json
import secrets
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from django.urls import reverse

from analytics.domain.demo import plan
from analytics.management.demo import (
    aftermath,
    campaigns,
    cast,
    derivations,
    environment,
    further,
    models,
    outcomes,
    table,
)
from analytics.management.demo.cast import Providers
from analytics.management.demo.stage import DemoStage
from analytics.services import reports
from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign, Message
from campaigns.selectors.campaigns import last_messages
from campaigns.services.campaigns import approval, authoring, launch
from customers.domain.demo import population
from customers.domain.demo.people import SOURCE
from customers.domain.loans.rows import LoanKind
from customers.services.demo import data
from customers.services.events import from_file
from customers.services.loans import from_file as loans
from loancrm.kernel import access, clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import arguments
from loancrm.kernel.commands.base import LoanCrmCommand
from loancrm.kernel.manifest import Role

_ACTOR = system_actor("command:demo")
# As a shell reports a program that Ctrl-C ended.
_INTERRUPTED = 130
_CLICKS_AFTER = timedelta(hours=3)


class Command(LoanCrmCommand):
    uses_data = False
    help = (
        "Run five campaigns over made-up customers in an own folder, report them, serve the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customers", type=arguments.whole(1, 10_000_000), default=5000)
        parser.add_argument("--seed", type=arguments.seed, default=7)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--port",
            type=arguments.whole(1, 65_535),
            default=8000,
            help="of the web server",
        )
        parser.add_argument("--no-serve", action="store_true", help="stop after the reports")
        parser.add_argument(
            "--json", type=arguments.new_file, help="also write the reports to this file"
        )

    def handle(self, **options: Any) -> None:
        folder = settings.LOANCRM_VAR_DIR / "demo"
        if environment.is_inside(settings.LOANCRM_VAR_DIR):
            with environment.hold(settings.LOANCRM_VAR_DIR):
                self._run(settings.LOANCRM_VAR_DIR, options)
            return
        environment.hold(folder).close()
        port = environment.free_port() if options["no_serve"] else options["port"]
        environment.require_free(options["host"], port)
        environment.enter(folder, host=options["host"], port=port, starts_at=plan.PREPARES_AT)

    def _run(self, folder: Path, options: dict[str, Any]) -> None:
        self._started_seconds = time.monotonic()
        self._seed, self._customers = options["seed"], options["customers"]
        users = self._prepare(folder)
        providers = Providers(
            smtp_port=environment.free_port(),
            sms_port=environment.free_port(),
            smtp_secret=secrets.token_urlsafe(24),
            sms_secret=secrets.token_urlsafe(24),
        )
        cast.configure_providers(providers=providers, actor=_ACTOR, now=clock.now())
        _scheme, _slashes, port = settings.LOANCRM_PUBLIC_URL.rpartition(":")
        connection.close()
        stage = DemoStage(folder, host=options["host"], port=int(port), providers=providers)
        try:
            stage.supervisor.start()
            self._say("Web server, Celery worker, scheduler, SMS gateway and mail server started")
            self._play(stage, folder, users)
            self._report(options["json"])
            self._bring_up_to_date(folder, users)
            if not options["no_serve"]:
                self._serve(stage)
        except KeyboardInterrupt:
            raise SystemExit(_INTERRUPTED) from None
        finally:
            stage.supervisor.stop()
            self._say("All processes stopped")

    def _prepare(self, folder: Path) -> dict[Role, User]:
        """Fill the empty database."""
        call_command("migrate", interactive=False, verbosity=0)
        self._say(f"Empty database prepared in {folder}")
        users = cast.create_users()
        counts = data.write_population(
            actor=_ACTOR,
            stories=population.generate(
                count=self._customers,
                seed=self._seed,
                today=plan.STARTS_AT.date() - timedelta(days=1),
            ),
            now=clock.now(),
        )
        self._say(
            f"{counts.customers:,} customers, {counts.loans:,} loans, {counts.repayments:,} "
            f"repayments, {counts.events:,} events, {counts.consents:,} consents generated"
        )
        cast.set_rules(seed=self._seed, actor=_ACTOR, now=clock.now())
        touched = cast.import_history(seed=self._seed, folder=folder, actor=_ACTOR, now=clock.now())
        self._say(f"{touched} touches of a campaign of the day before imported")
        return users

    def _play(self, stage: DemoStage, folder: Path, users: dict[Role, User]) -> None:
        """Run the campaigns and let eight months pass."""
        self._write_campaigns(users)
        environment.set_clock(folder, plan.STARTS_AT)
        for slug in (*plan.CAMPAIGNS, *plan.FURTHER):
            launch.launch_campaign(
                campaign=Campaign.objects.get(slug=slug),
                actor=access.user_actor(users[Role.MARKETER]),
                now=clock.now(),
            )
        self._say(f"Launched at {plan.STARTS_AT:%Y-%m-%d %H:%M}, demo time")
        stage.wait_for_campaign(plan.ACQUISITION)
        stage.wait_for_step(plan.WIN_BACK, 1)
        stage.wait_for_reports()
        self._say("SMS sent and reported on")
        environment.set_clock(folder, plan.STARTS_AT + _CLICKS_AFTER)
        stage.wait_for_campaign(plan.WIN_BACK)
        stage.wait_for_reports()
        self._say("Fallback e-mail sent to those whom the SMS did not reach")
        reacting = [
            one
            for slug in (plan.ACQUISITION, plan.WIN_BACK)
            for one in self._reactions(slug, stage)
        ]
        environment.set_clock(folder, plan.RETENTION_AT)
        stage.wait_for_campaign(plan.RETENTION)
        stage.wait_for_reports()
        self._say(f"Scheduled e-mail sent at {plan.RETENTION_AT:%Y-%m-%d %H:%M}, demo time")
        environment.set_clock(folder, plan.RETENTION_AT + _CLICKS_AFTER)
        reacting += self._reactions(plan.RETENTION, stage)
        self._go_on(stage, folder)
        environment.set_clock(folder, plan.ENDS_AT)
        self._import_outcomes(folder, reacting)

    def _go_on(self, stage: DemoStage, folder: Path) -> None:
        """Let one campaign run again by its calendar, and one write to whoever begins to apply."""
        for number, moment in enumerate(plan.WEEKLY_AT, start=1):
            environment.set_clock(folder, moment)
            stage.wait_for_run(plan.WEEKLY, number)
            stage.wait_for_reports()
            self._say(f"Run {number} of {plan.WEEKLY} sent at {moment:%Y-%m-%d %H:%M}, demo time")
            if number == 1:
                self._remind(stage, folder)
        stage.wait_for_campaign(plan.WEEKLY)

    def _remind(self, stage: DemoStage, folder: Path) -> None:
        environment.set_clock(folder, plan.STARTED_AT)
        begun = further.begin_applications(seed=self._seed, folder=folder, actor=_ACTOR)
        environment.set_clock(folder, plan.REMINDED_AT)
        stage.wait_for_triggers(plan.UNFINISHED, begun)
        stage.wait_for_reports()
        self._say(f"{begun} people began to apply; {plan.UNFINISHED} wrote half an hour later")

    def _write_campaigns(self, users: dict[Role, User]) -> None:
        author = access.user_actor(users[Role.MARKETER])
        approver = access.user_actor(users[Role.APPROVER])
        for slug in (*plan.CAMPAIGNS, *plan.FURTHER):
            campaign = authoring.create_campaign(
                source=campaigns.read(slug), actor=author, now=clock.now()
            )
            # A salt of its own would deal everybody anew in every run.
            Campaign.objects.filter(pk=campaign.pk).update(experiment_salt=plan.salt_of(slug))
            campaign.refresh_from_db()
            authoring.submit_for_review(campaign=campaign, actor=author, now=clock.now())
            approval.approve_campaign(
                campaign=campaign,
                seen_digest=approval.campaign_digest(campaign),
                actor=approver,
                now=clock.now(),
            )
        self._say("Five campaigns written by the marketer and approved by the approver")

    def _reactions(self, slug: str, stage: DemoStage) -> list[outcomes.Reacting]:
        """Let people click, and return what else they will do."""
        reached_at = plan.RETENTION_AT if slug == plan.RETENTION else plan.STARTS_AT
        found = outcomes.reactions(seed=self._seed, slug=slug, reached_at=reached_at)
        opened = outcomes.click(found, record_path=stage.record_path)
        self._say(f"{opened} links of {slug} opened")
        return found

    def _import_outcomes(self, folder: Path, reacting: list[outcomes.Reacting]) -> None:
        files = outcomes.Files(folder / "outcomes")
        outcomes.write_files(
            files,
            reacting,
            seed=self._seed,
            customers=self._customers,
            until=plan.ENDS_AT.date() - timedelta(days=1),
        )
        files.close()
        now = clock.now()
        for kind in LoanKind:
            if kind in files.paths:
                loans.import_loans(
                    actor=_ACTOR, path=files.paths[kind], kind=kind, now=now, source=SOURCE
                )
        imported = from_file.import_events(
            actor=_ACTOR, path=files.paths["events"], now=now, source=SOURCE
        )
        loans.refresh_loan_states(actor=_ACTOR, now=now)
        self._say(
            f"Eight months passed: {imported.created:,} events with applications, loans and "
            "repayments imported"
        )

    def _report(self, path: Path | None) -> None:
        found = [
            reports.store_report(actor=_ACTOR, slug=slug, now=clock.now()).report
            for slug in (*plan.CAMPAIGNS, *plan.FURTHER)
        ]
        first = len(plan.CAMPAIGNS)
        for part in (found[:first], found[first:]):
            self.stdout.write("")
            skipped = {report.head.slug: _skipped(report.head.slug) for report in part}
            for line in table.lines(part, skipped):
                self.stdout.write(line)
        self.stdout.write("")
        if path is not None:
            content = [report.to_json() for report in found]
            path.write_text(json.dumps(content, ensure_ascii=False, default=str), encoding="utf-8")

    def _bring_up_to_date(self, folder: Path, users: dict[Role, User]) -> None:
        """Let something have happened lately, and leave something to do."""
        leads = aftermath.import_leads(
            seed=self._seed, customers=self._customers, folder=folder, actor=_ACTOR
        )
        self._say(
            f"{leads.rows} leads of a partner imported: {leads.created} new, {leads.updated} "
            f"updated, {leads.rejected} rejected; findings {dict(leads.by_reason)}"
        )
        derivations.derive_everything(actor=_ACTOR, as_of=clock.today(), now=clock.now())
        self._say("Stages, ties between customers and lifetime values derived")
        segment = self._use_models(users)
        called = aftermath.import_calls(seed=self._seed, folder=folder, actor=_ACTOR)
        slug = aftermath.leave_to_approve(
            author=access.user_actor(users[Role.MARKETER]), segment=segment
        )
        self._say(f"{called} calls of a call centre imported; {slug} waits for an approval")

    def _use_models(self, users: dict[Role, User]) -> str:
        """Choose the next campaign's people by models, where there are enough people for them."""
        try:
            for line in models.train(users):
                self._say(f"Model trained, approved and used for scores: {line}")
        except models.TooFewPeople as error:
            self._say(f"No model is used with so few people: {error}")
            return plan.WITHOUT_LOAN
        for line in models.target(users):
            self._say(line)
        return models.audience()

    def _serve(self, stage: DemoStage) -> None:
        address = settings.LOANCRM_PUBLIC_URL
        self.stdout.write(f"\nAdmin: {address}/admin/   (Ctrl-C ends the demo)")
        for role in Role:
            self.stdout.write(f"  sign in as {role.value:<9} password {cast.password_of(role)}")
        for slug in (*plan.CAMPAIGNS, *plan.FURTHER):
            path = reverse("reports:campaign", args=[slug])
            self.stdout.write(f"  report of {slug:<15} {address}{path}")
        self.stdout.flush()
        connection.close()
        stage.supervisor.run()

    def _say(self, line: str) -> None:
        seconds = time.monotonic() - self._started_seconds
        self.stdout.write(f"[{seconds:5.1f} s] {line}")
        self.stdout.flush()


def _skipped(slug: str) -> dict[str, int]:
    """Return {reason: how many people} of those whom no step of a campaign could serve."""
    rows = Message.objects.filter(
        ~last_messages.is_served_later(),
        dispatch__campaign__slug=slug,
        state=MessageState.SKIPPED,
    )
    return dict(rows.values_list("reason").annotate(people=Count("pk")))
