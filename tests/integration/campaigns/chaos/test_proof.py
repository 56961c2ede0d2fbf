"""What a chaos run calls doubled, lost and written off."""

from decimal import Decimal

import pytest

from campaigns.benchmarks import audience, texts
from campaigns.chaos import gateways, proof
from campaigns.chaos.gateways import Gateway
from campaigns.models import Budget, Campaign, Message
from campaigns.services.campaigns import launch
from campaigns.simulators import evidence
from campaigns.simulators.evidence import EvidenceEntry
from campaigns.simulators.moods import Turn
from loancrm.kernel.access import system_actor
from tests.factories import kept

pytestmark = pytest.mark.django_db
COUNT = 4


@pytest.fixture
def campaign(now):
    def make():
        audience.make_people(COUNT, "email", "sms")
        audience.make_channel(kind="email", backend="memory", options={})
        campaign = audience.make_approved(0, kind="email", budget_amount="10")
        launch.launch_campaign(campaign=campaign, actor=system_actor("test"), now=now)
        Message.objects.update(state="sent")

    kept.scene("all sent in a benchmark", make)
    return Campaign.objects.get()


@pytest.fixture
def prove(campaign, tmp_path):
    def prove(*entries, plan="plain", elsewhere=()):
        path = tmp_path / "smtp.jsonl"
        log = evidence.Log(path)
        log.write(entries)
        log.close()
        gateway = Gateway(plan, gateways.PLANS[plan], {}, path)
        refused = proof.refused_by([gateway]) | set(elsewhere)
        return proof.prove(gateway, campaign, count=COUNT, refused=refused)

    return prove


def taken(number, *, turn=Turn.ANSWER, answer="250"):
    return EvidenceEntry(1, f"m{number}", digest(number), turn, True, answer)


def refused(number, *, is_final):
    return EvidenceEntry(1, "", digest(number), Turn.ANSWER, False, "550", is_final)


def digest(number):
    return evidence.person(texts.address(number))


def everybody():
    return [taken(number) for number in range(COUNT)]


def end(number, state, **columns):
    Message.objects.filter(customer__external_id=f"bench{number}").update(state=state, **columns)


def test_everybody_once_is_proven_harmless(prove):
    found = prove(*everybody())
    assert (found.duplicates, found.lost, found.written_off, found.strangers) == (0, 0, 0, 0)
    assert found.is_balanced
    assert found.taken == COUNT


def test_a_second_copy_is_a_duplicate_even_where_somebody_else_got_none(prove):
    found = prove(taken(0), taken(0), taken(1), taken(2))
    assert (found.duplicates, found.lost) == (1, 1)


def test_sent_without_a_trace_at_the_provider_is_lost(prove):
    assert prove(*everybody()[1:]).lost == 1


@pytest.mark.parametrize("state", ["planned", "sending", "skipped", "held_out", "cancelled"])
def test_an_end_that_no_fault_explains_is_lost(prove, state):
    end(0, state)
    found = prove(*everybody()[1:])
    assert found.lost == 1
    assert found.is_balanced is (state not in {"planned", "sending"})


def test_who_failed_without_a_final_refusal_is_written_off(prove):
    end(0, "failed", reason="crashed")
    end(1, "failed", reason="channel_refused")
    found = prove(refused(0, is_final=False), refused(1, is_final=True), taken(2), taken(3))
    assert (found.written_off, found.lost) == (1, 0)
    assert found.reasons == {"failed:crashed": 1, "failed:channel_refused": 1}


def test_unknown_messages_are_listed(prove):
    end(0, "unknown")
    message = Message.objects.get(state="unknown")
    found = prove(*everybody())
    assert found.unknown_messages == [message.pk]
    assert found.lost == 0


def test_money_that_does_not_add_up_is_out_of_balance(prove, campaign):
    end(0, "sent", cost_amount=Decimal("0.05"))
    assert not prove(*everybody()).is_balanced
    Budget.objects.update(committed_amount=Decimal("0.05"))
    assert prove().is_balanced


def test_a_row_that_is_missing_is_lost(prove):
    Message.objects.filter(customer__external_id="bench0").delete()
    found = prove(*everybody()[1:])
    assert found.lost == 1
    assert not found.is_balanced


@pytest.mark.parametrize(
    ("plan", "expected"), [("plain", 2), ("chunking", 16), ("sms", 0), ("keyless", 2)]
)
def test_what_a_provider_breaks_off_is_what_its_connections_carry(prove, plan, expected):
    found = prove(
        taken(0),
        taken(1, turn=Turn.CUT, answer=""),
        taken(2, turn=Turn.SILENT, answer=""),
        taken(3),
        plan=plan,
    )
    assert found.on_the_wire == expected


@pytest.mark.parametrize(
    ("turn", "expected"),
    [(Turn.ERROR, 2), (Turn.THROTTLE, 0), (Turn.UNAVAILABLE, 0), (Turn.BLOCK, 0)],
)
def test_of_an_error_a_gateway_without_keys_may_have_taken_all(prove, turn, expected):
    """As of one that a proxy could have given; the other refusals say that nothing was taken."""
    told = [taken(number, turn=turn, answer="500") for number in (0, 1)]
    assert prove(*told, plan="keyless").on_the_wire == expected


def test_a_gateway_that_forgets_keys_is_tried_with_half_of_the_people():
    sms, keyless = gateways.PLANS["sms"], gateways.PLANS["keyless"]
    assert not keyless.knows_keys
    assert sorted(sms.numbers(50) + keyless.numbers(50)) == list(range(50))
    assert len(keyless.numbers(300)) == 150


@pytest.mark.parametrize(("elsewhere", "lost"), [([0], 0), ([], 1), ([1], 1)])
def test_an_address_that_another_relay_refused_is_skipped_with_cause(prove, elsewhere, lost):
    end(0, "skipped", reason="bounced")
    found = prove(*everybody()[1:], elsewhere=[digest(number) for number in elsewhere])
    assert found.lost == lost
