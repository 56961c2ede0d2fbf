"""How a report's statement reads: by indexes, whatever the size of the tables."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.selectors import outcomes
from campaigns.selectors.campaigns import sent_goals
from tests.integration.analytics.selectors.scene import AS_OF
from tests.planner import tables_read_through

LARGE = {"campaigns_message", "campaigns_linkvisit", "customers_event", "customers_customer"}


@pytest.mark.sql
@pytest.mark.parametrize("load", [outcomes.load_cells, outcomes.load_converters])
def test_no_large_table_is_read_through(scene, load):
    scene.message("c1")
    scene.applied("c1", AS_OF)
    goal = sent_goals.goals_of([scene.campaign])[scene.campaign.pk]
    with CaptureQueriesContext(connection) as asked:
        load(campaign=scene.campaign, goal=goal, as_of=AS_OF)
    (statement,) = [each["sql"] for each in asked.captured_queries]
    assert tables_read_through(statement) & LARGE == set()


@pytest.mark.sql
@pytest.mark.django_db
def test_a_table_that_is_read_through_is_noticed():
    sql = "SELECT m.id FROM campaigns_message m WHERE m.cost_amount = 1"
    assert tables_read_through(sql) == {"campaigns_message"}
    assert tables_read_through("SELECT m.id FROM campaigns_message m WHERE m.id = 1") == set()


@pytest.mark.sql
def test_d8_the_global_control_group_counts_as_held_out_and_in_no_lift(scene):
    scene.message("c1")
    scene.held_out("c2", reason="holdout")
    scene.held_out("c3", reason="global_control", is_control=False)
    scene.held_out("c4", reason="global_control")
    scene.applied("c3", AS_OF)

    report = scene.report()

    assert (report.counts.audience, report.counts.held_out) == (4, 3)
    lift = report.figures["lift"]
    assert (lift.denominator, lift.control) == (1, (0, 1))
    assert report.figures["conversion_rate"].denominator == 1
    goal = sent_goals.goals_of([scene.campaign])[scene.campaign.pk]
    trial = outcomes.load_trial(campaign=scene.campaign, goal=goal, as_of=AS_OF)
    assert len(trial) == 2
