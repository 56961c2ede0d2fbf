"""What a test of texts changes in a campaign: who is written to first, and with which text."""

from django.db.models import QuerySet

from campaigns.domain.campaigns.given.problems import ValueProblem
from campaigns.domain.campaigns.spec import untestable
from campaigns.domain.experiments import assignment
from campaigns.domain.experiments.content_test import ContentTestPlan, GuardedHarm
from campaigns.models import Campaign, ContentTest
from campaigns.selectors.campaigns import content_tests
from campaigns.services.campaigns.problems import refused
from campaigns.services.sending import freezing
from customers.models import Customer

FIRST_RUN = 1
REST_RUN = 2


def write_plan(campaign: Campaign, plan: ContentTestPlan | None) -> None:
    """Store what a draft's test is to be; None for no test."""
    if plan is None:
        ContentTest.objects.filter(campaign=campaign).delete()
        return
    ContentTest.objects.update_or_create(
        campaign=campaign,
        defaults={
            "test_share": plan.test_share,
            "metric": plan.metric,
            "decide_after_hours": plan.decide_after_hours,
            "without_winner": plan.without_winner,
            "opted_out_margin": plan.margins[GuardedHarm.OPTED_OUT],
            "complained_margin": plan.margins[GuardedHarm.COMPLAINED],
        },
    )


def require_testable(campaign: Campaign) -> None:
    """Refuse a test that could not be held: of one text alone, or of a campaign that runs again.

    Raises:
        CampaignRefused: The test cannot be held.
    """
    if content_tests.of_campaign(campaign) is None:
        return
    variants = content_tests.variants_of(campaign)
    if code := untestable(len(variants), campaign.recurrence or campaign.trigger):
        raise refused((ValueProblem("experiment", code),))


def is_tested(campaign: Campaign) -> bool:
    """Return whether a share of the people is written to first."""
    return content_tests.of_campaign(campaign) is not None


def first_people(campaign: Campaign, people: QuerySet[Customer]) -> QuerySet[Customer]:
    """Return who is in the first run: the test's share of all, or everybody without a test.

    Nobody where triggers choose: later runs keep what the first one froze.
    """
    if campaign.trigger is not None:
        return people.none()
    test = content_tests.of_campaign(campaign)
    if test is None:
        return people
    return freezing.in_share(
        people,
        salt=campaign.experiment_salt,
        purpose=assignment.TEST,
        share=test.test_share,
    )


def winner_of_run(campaign: Campaign, run_number: int) -> str:
    """Return the variant that everybody in a run gets; empty where each has her own."""
    if run_number == FIRST_RUN:
        return ""
    test = content_tests.of_campaign(campaign)
    return test.winner if test else ""
