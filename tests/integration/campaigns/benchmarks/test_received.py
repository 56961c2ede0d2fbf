"""Benchmarks count copies and losses by person and message, from the provider's log."""

import pytest

from campaigns.benchmarks import audience, received, texts
from campaigns.models import Message
from campaigns.services.campaigns import launch
from campaigns.simulators import evidence
from campaigns.simulators.evidence import EvidenceEntry
from campaigns.simulators.moods import Turn
from loancrm.kernel.access import system_actor

pytestmark = pytest.mark.django_db
COUNT = 4


@pytest.fixture
def campaign(now):
    audience.make_people(COUNT, "email", "sms")
    audience.make_channel(kind="email", backend="memory", options={})
    campaign = audience.make_approved(0, kind="email")
    launch.launch_campaign(campaign=campaign, actor=system_actor("test"), now=now)
    return campaign


@pytest.fixture
def log_of(tmp_path):
    def write(*taken):
        log = evidence.Log(tmp_path / "smtp.jsonl")
        log.write(
            EvidenceEntry(1, key, evidence.person(texts.address(number)), Turn.ANSWER, True, "250")
            for key, number in taken
        )
        log.close()
        return tmp_path / "smtp.jsonl"

    return write


def compare(log, campaign, **arguments):
    return received.by_everybody(log, campaign=campaign, kind="email", count=COUNT, **arguments)


def test_everybody_once_is_neither_double_nor_lost(campaign, log_of):
    log = log_of(("m1", 0), ("m2", 1), ("m3", 2), ("m4", 3))
    assert compare(log, campaign) == received.DeliveryCounts(4, 0, 0, 0)


def test_one_lost_and_one_doubled_message_do_not_cancel_out(campaign, log_of):
    log = log_of(("m1", 0), ("m1", 0), ("m3", 2), ("m4", 3))
    assert compare(log, campaign) == received.DeliveryCounts(3, 1, 1, 0)


def test_a_message_to_a_stranger_is_one_too_many(campaign, log_of):
    log = log_of(("m1", 0), ("m2", 1), ("m3", 2), ("m4", 3), ("m9", COUNT))
    assert compare(log, campaign).duplicates == 1


def test_who_is_listed_as_unknown_is_not_lost(campaign, log_of):
    Message.objects.filter(customer__external_id="bench1").update(state="unknown")
    log = log_of(("m1", 0), ("m3", 2), ("m4", 3))
    assert compare(log, campaign) == received.DeliveryCounts(3, 0, 0, 1)


def test_only_what_came_since_the_campaign_began_counts(campaign, log_of):
    log = log_of(("b0", 0), ("b1", 1))
    offset = evidence.size(log)
    log_of(("m1", 0), ("m2", 1), ("m3", 2), ("m4", 3))
    assert compare(log, campaign, offset=offset) == received.DeliveryCounts(4, 0, 0, 0)
