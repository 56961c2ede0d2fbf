"""Confirmations, killed after any commit: nobody is asked twice, and few are not asked at all."""

from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult
from campaigns.channels.errors import ChannelThrottled
from campaigns.domain.receipts import refusal_rules
from campaigns.domain.sending.fates import ConfirmationFate
from campaigns.models import Channel
from campaigns.selectors.receipts import unknown_confirmations
from campaigns.services.consents import confirmations
from campaigns.services.consents.confirmation_fates import decide
from campaigns.services.sending import providers
from customers.models import ConsentState, OptInRequest
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import end_pauses, make_channel
from tests.factories.people import make_people
from tests.kills import assert_kills_leave_no_trace, empty, killed_after_commit

# The ids of the provider in memory carry the key space, which is another in every deployment.
SENT = (
    "campaigns.Channel",
    "campaigns.SideMessage.provider_message_id",
    "campaigns.SideMessage.sent_at",
    "customers.OptInRequest.sent_at",
)


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def ask(now, count, *, knows_keys=True):
    """People who want to hear from us, and a mail server that has to ask them."""
    make_channel(
        options={"supports_idempotency": knows_keys},
        idempotency_shown_at=now if knows_keys else None,
    )
    OptInRequest.objects.bulk_create(
        OptInRequest(
            customer=person,
            channel="email",
            purpose="marketing",
            source="lead_form",
            requested_at=now,
            expires_at=now + timedelta(days=7),
        )
        for person in make_people(count, consents=())
    )


def asked():
    """Return how often each person was written to."""
    provider = providers.provider_of(Channel.objects.get())
    return Counter(message.to for message in provider.delivered)


def send_for_long(now):
    for minutes in (0, 11, 30):
        confirmations.send_confirmations(now=now + timedelta(minutes=minutes))


@pytest.mark.sql
@pytest.mark.django_db(transaction=True)
def test_a7_everybody_is_asked_once_after_a_kill_where_keys_are_known(now):
    def work():
        send_for_long(now)
        assert sorted(asked().values()) == [1, 1, 1]

    assert_kills_leave_no_trace(lambda: ask(now, 3), work, commits=3, ignored=SENT)


@pytest.mark.sql
@pytest.mark.django_db(transaction=True)
def test_a7_a_kill_leaves_only_what_was_on_the_wire_unasked(now, monkeypatch):
    monkeypatch.setattr(confirmations, "SUB_BATCH", 2)
    for nth in range(1, 10):
        empty()
        ask(now, 6, knows_keys=False)
        with killed_after_commit(nth):
            send_for_long(now)
        send_for_long(now)
        found = asked()
        assert set(found.values()) == {1}
        assert len(found) >= 4


@pytest.mark.sql
@pytest.mark.django_db(transaction=True)
def test_a7_whom_a_kill_left_unasked_is_listed_and_asked_when_somebody_says_so(
    now, actor, monkeypatch
):
    monkeypatch.setattr(confirmations, "SUB_BATCH", 2)
    later = now + timedelta(hours=1)
    for nth in range(1, 10):
        empty()
        ask(now, 6, knows_keys=False)
        with killed_after_commit(nth):
            send_for_long(now)
        send_for_long(now)
        listed = list(unknown_confirmations.found(later))
        traces = unknown_confirmations.traces_of(listed)
        was_sent = [request.pk for request in listed if is_taken(traces[request.pk].key)]
        was_not = [request.pk for request in listed if request.pk not in was_sent]
        assert len(asked()) + len(was_not) == 6
        order = {"actor": actor, "now": later}
        decide(request_ids=was_sent, fate=ConfirmationFate.WAS_SENT, **order)
        decide(request_ids=was_not, fate=ConfirmationFate.SEND_AGAIN, **order)
        assert not unknown_confirmations.found(later).exists()
        confirmations.send_confirmations(now=later)
        assert sorted(asked().values()) == [1] * 6
        assert not unknown_confirmations.found(later + timedelta(hours=1)).exists()


def is_taken(key):
    provider = providers.provider_of(Channel.objects.get())
    return key in {message.idempotency_key for message in provider.delivered}


@pytest.mark.sql
@pytest.mark.django_db
@pytest.mark.parametrize("knows_keys", [True, False])
def test_a7_a_confirmation_that_is_never_answered_is_listed_in_the_end(now, knows_keys):
    ask(now, 1, knows_keys=knows_keys)
    providers.provider_of(Channel.objects.get()).answer = lambda message: SendResult(
        message.message_id, SendOutcome.UNKNOWN, code="connection_lost"
    )
    at = now
    for _question in range(confirmations.MOST_TRIES if knows_keys else 1):
        assert not unknown_confirmations.found(at).exists()
        confirmations.send_confirmations(now=at)
        at = OptInRequest.objects.get().next_try_at
        end_pauses()
    later = at + timedelta(minutes=11)
    assert unknown_confirmations.found(later).exists()
    confirmations.send_confirmations(now=later)
    assert OptInRequest.objects.get().next_try_at == at


@pytest.mark.sql
@pytest.mark.django_db
def test_a7_the_page_of_unknown_fate_lists_confirmations_and_decides(
    now, admin_client, monkeypatch
):
    ask(now, 3, knows_keys=False)
    lost = now - timedelta(minutes=30)
    OptInRequest.objects.update(sent_at=lost, next_try_at=lost + confirmations.ANSWER_WAIT)
    monkeypatch.setattr(clock, "now", lambda: now)
    address = reverse("admin:campaigns_unknown")
    listed = admin_client.get(address)
    assert listed.context["confirmations"]["count"] == 3
    assert listed.content.decode().count('name="confirmation"') == 3
    assert "***@" in listed.content.decode()
    assert admin_client.get(reverse("admin:index")).context["unknown_count"] == 3
    one, two, three = OptInRequest.objects.order_by("pk").values_list("pk", flat=True)
    decides = reverse("admin:campaigns_unknown_confirmations")
    order = {"confirmation": [one, two], "fate": "send_again"}
    question = admin_client.post(decides, order)
    assert question.context["total"] == 2
    assert OptInRequest.objects.filter(sent_at__isnull=True).count() == 0
    admin_client.post(decides, {**order, "confirmed": "yes"})
    admin_client.post(decides, {"confirmation": [three], "fate": "was_sent", "confirmed": "yes"})
    assert admin_client.get(address).context["confirmations"]["rows"] == []
    assert confirmations.send_confirmations(now=now) == 2
    entries = AuditEntry.objects.filter(action="optinrequest.fate_decided").order_by("pk")
    assert [entry.facts["count"] for entry in entries] == [2, 1]


@pytest.mark.sql
@pytest.mark.django_db
def test_a7_one_whose_link_has_expired_stays_listed_and_can_be_asked_again(
    now, admin_client, actor, monkeypatch
):
    """Only that she may never have been asked keeps her from hearing from us."""
    ask(now, 4, knows_keys=False)
    OptInRequest.objects.update(sent_at=now, next_try_at=now + confirmations.ANSWER_WAIT)
    waiting, refused, anew, confirmed = OptInRequest.objects.order_by("pk")
    later = now + timedelta(days=8)
    monkeypatch.setattr(clock, "now", lambda: later)
    ConsentState.objects.create(
        customer=refused.customer,
        channel="email",
        purpose="marketing",
        is_granted=False,
        changed_at=later,
    )
    again = {name: getattr(anew, name) for name in ("customer", "channel", "purpose", "source")}
    OptInRequest.objects.create(**again, requested_at=later, expires_at=later + timedelta(days=7))
    OptInRequest.objects.filter(pk=confirmed.pk).update(confirmed_at=now)

    page = admin_client.get(reverse("admin:campaigns_unknown"), headers={"accept-language": "en"})
    (row,) = page.context["confirmations"]["rows"]
    assert row["request"] == waiting
    assert "the link has expired" in page.content.decode()

    fate = ConfirmationFate.SEND_AGAIN
    assert decide(request_ids=[waiting.pk], fate=fate, actor=actor, now=later) == 1
    assert not unknown_confirmations.found(later).exists()
    assert OptInRequest.objects.get(pk=waiting.pk).expires_at == later + timedelta(days=7)
    # She, and the one who asked anew.
    assert confirmations.send_confirmations(now=later) == 2


@pytest.mark.django_db
def test_a7_not_everybody_decides_about_confirmations(now, django_user_model):
    ask(now, 1, knows_keys=False)
    reader = user_actor(django_user_model.objects.create_user("reader"))
    with pytest.raises(PermissionRefused):
        decide(request_ids=[1], fate=ConfirmationFate.SEND_AGAIN, actor=reader, now=now)


@pytest.mark.sql
@pytest.mark.django_db
@pytest.mark.parametrize("knows_keys", [True, False])
def test_a10_a_lost_answer_is_asked_for_again_where_keys_are_known(now, knows_keys):
    ask(now, 1, knows_keys=knows_keys)
    provider = providers.provider_of(Channel.objects.get())
    keys = []

    def lose(message):
        keys.append(message.idempotency_key)
        return SendResult(message.message_id, SendOutcome.UNKNOWN, code="connection_lost")

    provider.answer = lose
    send_for_long(now)
    assert len(set(keys)) == 1
    assert len(keys) > 1 if knows_keys else len(keys) == 1


@pytest.mark.sql
@pytest.mark.django_db
def test_a8_the_key_of_a_confirmation_is_the_deployments_own(now):
    ask(now, 1)
    confirmations.send_confirmations(now=now)
    (message,) = providers.provider_of(Channel.objects.get()).delivered
    request = OptInRequest.objects.get()
    assert message.idempotency_key.startswith(f"o{request.pk}.")


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_confirmations_that_are_refused_open_the_breaker_and_are_sent_later(now):
    """As with campaigns: nobody is written off for an account that is refused."""
    ask(now, refusal_rules.REFUSALS_IN_A_ROW)
    provider = providers.provider_of(Channel.objects.get())
    provider.answer = lambda message: SendResult(
        message.message_id, SendOutcome.REJECTED, code="5.7.1", detail="refused by policy"
    )
    send_for_long(now)
    assert Channel.objects.get().blocked_at is not None
    provider.answer = None
    Channel.objects.update(blocked_at=None)
    confirmations.send_confirmations(now=now + timedelta(hours=8))
    assert len(asked()) == refusal_rules.REFUSALS_IN_A_ROW


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_confirmations_that_are_not_taken_begin_a_standstill_and_end_it(now, monkeypatch):
    ask(now, 2)
    provider = providers.provider_of(Channel.objects.get())

    def refuse(_batch):
        raise ChannelThrottled(channel="email-memory", retry_after_seconds=60)

    with monkeypatch.context() as patch:
        patch.setattr(provider, "send", refuse)
        confirmations.send_confirmations(now=now)
    assert Channel.objects.get().paused_since is not None
    end_pauses()
    assert confirmations.send_confirmations(now=now) == 2
    assert Channel.objects.get().paused_since is None


@pytest.mark.sql
@pytest.mark.django_db
def test_a6_confirmations_wait_for_a_sender_that_can_be_written(now):
    ask(now, 1)
    Channel.objects.update(sender="示例金融 <news@>\n")
    assert confirmations.send_confirmations(now=now) == 0
    Channel.objects.update(sender="示例金融 <news@lender.example>")
    assert confirmations.send_confirmations(now=now + timedelta(hours=1)) == 1
