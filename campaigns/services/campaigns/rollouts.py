"""A test of texts is decided, and the rest of the people get the winner's text.

Deciding and sending are two steps, each of which is done once under the lock of the campaign's row:
whoever comes second, or comes back after a fault, finds the first done.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.experiments.content_test import (
    ContentTestPlan,
    ContentTestReading,
    ContentTestState,
    DecisionGround,
    Ruling,
    read_arms,
    rule_on,
)
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Campaign, ContentTest, Dispatch, Message
from campaigns.selectors.campaigns import arm_counts, content_tests, ends
from campaigns.services.campaigns import plans, recurring
from campaigns.services.campaigns.audience import choosing
from campaigns.services.campaigns.content_tests import FIRST_RUN, REST_RUN
from campaigns.services.campaigns.steps_freezing import freeze_first_step
from customers.models import Customer
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue

LAUNCHES = "campaigns.launch_campaign"
_OVER = (DispatchStatus.COMPLETED, DispatchStatus.CANCELLED)


class WinnerRefused(LoanCrmError):
    """Nobody is asked for a winner, or this variant may not be it."""

    code = "winner_refused"


def open_tests() -> Sequence[Campaign]:
    """Return the running campaigns whose test is being read, in one query."""
    rows = Campaign.objects.filter(
        ends.not_over(),
        status=CampaignStatus.RUNNING,
        run_hold_reason="",
        content_test__state=ContentTestState.READING,
        launched_at__isnull=False,
    )
    return list(rows.order_by("pk"))


def decide(*, campaign: Campaign, now: datetime) -> ContentTest | None:
    """Decide a test by the rule that was approved, as soon as its reading or its time allows.

    Returns:
        The test once it is decided or waits for a person; None while it is read on, is not over
        with its own sending, or the campaign does not run.
    """
    actor = system_actor(f"job:{jobs.DECIDE_TESTS.name}")
    with acting(actor, LAUNCHES, now=now) as act:
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        test = ContentTest.objects.select_for_update().get(campaign=locked)
        ended_at = sending_ended_at(locked)
        may_decide = locked.status == CampaignStatus.RUNNING and not locked.run_hold_reason
        plan = content_tests.plan_of(test)
        if (
            not may_decide
            or test.state != ContentTestState.READING
            or ended_at is None
            or plan is None
        ):
            act.unchanged()
            return None
        found = _reading(locked, plan, now)
        limit = ended_at + timedelta(hours=test.decide_after_hours)
        ruling = rule_on(found, plan, is_time_up=now >= limit)
        if ruling.state is ContentTestState.READING:
            act.unchanged()
            return None
        _store(locked, test, ruling, found, now)
        deed = "winner_decided" if ruling.winner else "winner_asked_for"
        facts = {"ground": ruling.ground or "", "winner": ruling.winner}
        act.record(f"campaign.{deed}", on=locked, facts=facts)
    enqueue(jobs.TICK)
    return test


def choose_winner(*, campaign: Campaign, variant: str, actor: Actor, now: datetime) -> ContentTest:
    """Say which text the rest gets, where the approval leaves that to a person.

    Raises:
        WinnerRefused: Nobody is asked, there is no such variant, or it is shown to do more harm
            than is borne.
        PermissionRefused: The actor may not launch campaigns.
    """
    with acting(actor, LAUNCHES, on=campaign, now=now) as act:
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        test = ContentTest.objects.select_for_update().filter(campaign=locked).first()
        plan = content_tests.plan_of(test)
        if test is None or plan is None or not content_tests.is_asked(test, locked):
            raise WinnerRefused(_("Nobody is asked for a winner now."), campaign=campaign.slug)
        found = _reading(locked, plan, now)
        if variant not in found.arms:
            raise WinnerRefused(_("There is no such variant."), campaign=campaign.slug)
        if found.is_broken(variant):
            raise WinnerRefused(
                _("More people refuse or complain after this variant than is borne."),
                campaign=campaign.slug,
            )
        ruling = Ruling(ContentTestState.DECIDED, DecisionGround.PERSON, variant)
        _store(locked, test, ruling, found, now)
        test.decided_by = actor.user
        test.save(update_fields=["decided_by"])
        facts = {"ground": DecisionGround.PERSON.value, "winner": variant}
        act.record("campaign.winner_decided", on=locked, facts=facts)
    enqueue(jobs.TICK)
    return test


def start_rest(*, campaign: Campaign, now: datetime) -> Dispatch | None:
    """Freeze the people whom the test left, with the winner's text, once, whoever else looks.

    Whom the approved rule chooses now is in it, but nobody who was in the test, also under another
    record; control group, price, budget and terms are those of the launch.

    Returns:
        The dispatch; None when it is not due any more, or is held because a rule behind the
        approved one has changed, a model chooses some people too rarely or a score may not choose.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        test = ContentTest.objects.select_for_update().filter(campaign=locked).first()
        first = Dispatch.objects.filter(campaign=locked, position=1, run_number=FIRST_RUN).first()
        if test is None or first is None or not _is_rest_due(locked, test, now):
            return None
        test.rest_started_at = now
        test.save(update_fields=["rest_started_at"])
        locked.next_run_at = None
        locked.save(update_fields=["next_run_at"])
        step = locked.steps.select_related("touchpoint__channel").get(position=1)
        plan = plans.plan_run(campaign=locked, step=step, first=first, due_at=now, now=now)
        plan.run_number = REST_RUN
        audience = choosing.audience_of(locked, version=first.segment_version, now=now)
        audience.note_on(plan)
        people = _not_tested(audience.people, locked)
        started = freeze_first_step(plan=plan, campaign=locked, audience=people, now=now)
        reason = recurring.reason_to_hold(locked, first=first, now=now)
        if reason is None:
            return started
        # After everything was read, as at the launch: nobody may be chosen by a rule that changed.
        transaction.set_rollback(True)
    recurring.hold_runs(campaigns=Campaign.objects.filter(pk=campaign.pk), reason=reason)
    return None


def sending_ended_at(campaign: Campaign) -> datetime | None:
    """Return when the last message of the test was sent, fallbacks too; None before that."""
    of_test = Dispatch.objects.filter(campaign=campaign, run_number=FIRST_RUN)
    if of_test.exclude(status__in=_OVER).exists() or of_test.count() < campaign.steps.count():
        return None
    found: datetime | None = of_test.aggregate(at=Max("completed_at"))["at"]
    return found


def _reading(campaign: Campaign, plan: ContentTestPlan, now: datetime) -> ContentTestReading:
    counts = arm_counts.of_campaign(campaign, as_of=now)
    return read_arms(counts, metric=plan.metric, margins=plan.margins)


def _store(
    campaign: Campaign,
    test: ContentTest,
    ruling: Ruling,
    found: ContentTestReading,
    now: datetime,
) -> None:
    test.state = ruling.state
    test.counts = {key: asdict(counts) for key, counts in found.arms.items()}
    if ruling.winner:
        test.ground, test.winner, test.decided_at = ruling.ground or "", ruling.winner, now
        # What goes on by itself, is held and is released, as the runs of a calendar are.
        Campaign.objects.filter(pk=campaign.pk).update(next_run_at=now)
    test.save()


def _is_rest_due(campaign: Campaign, test: ContentTest, now: datetime) -> bool:
    return (
        campaign.status == CampaignStatus.RUNNING
        and not ends.is_over(campaign)
        and not campaign.run_hold_reason
        and campaign.next_run_at is not None
        and campaign.next_run_at <= now
        and test.state == ContentTestState.DECIDED
        and test.rest_started_at is None
    )


def _not_tested(people: QuerySet[Customer], campaign: Campaign) -> QuerySet[Customer]:
    before = Message.objects.filter(dispatch__campaign=campaign)
    # Two conditions and no OR: each becomes one anti join.
    return people.exclude(Exists(before.filter(customer=OuterRef("pk")))).exclude(
        Exists(before.filter(customer__merged_into=OuterRef("pk")))
    )
