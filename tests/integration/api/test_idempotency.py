"""The same call twice is one call: replays, other bodies, parallel calls, crashes."""

import time
from datetime import timedelta
from typing import Any

import pytest

from campaigns.models import IdempotencyKey, PartnerLead
from campaigns.services.partners import idempotency
from customers.models import Customer
from loancrm.kernel import clock
from loancrm.kernel.auditing import audit
from loancrm.kernel.database import shared_clock
from tests.partner_client import PartnerClient, lead

pytestmark = pytest.mark.sql


def test_the_same_key_and_body_get_the_stored_reply(acme: PartnerClient) -> None:
    first = acme.post("leads", lead(1), key="k")
    again = acme.post("leads", lead(1), key="k")

    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    assert again["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first
    assert PartnerLead.objects.count() == 1


def test_the_same_key_with_another_body_is_422_and_changes_nothing(acme: PartnerClient) -> None:
    acme.post("leads", lead(1), key="k")

    response = acme.post("leads", lead(2), key="k")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert Customer.objects.count() == 1
    assert acme.post("leads", lead(1), key="k")["Idempotent-Replay"] == "true"


def test_the_same_key_at_another_address_is_422(acme: PartnerClient) -> None:
    acme.post("leads", lead(1), key="k")

    response = acme.post("leads/bulk", {"leads": [lead(1)]}, key="k")

    assert response.json()["code"] == "idempotency_key_reused"


def test_keys_of_two_partners_do_not_meet(acme: PartnerClient, bolt: PartnerClient) -> None:
    assert acme.post("leads", lead(1), key="k").status_code == 201
    response = bolt.post("leads", lead(2), key="k")

    assert response.status_code == 201
    assert "Idempotent-Replay" not in response


def test_a_call_whose_first_copy_still_runs_is_409_with_retry_after(acme: PartnerClient) -> None:
    acme.post("leads", lead(1), key="k")
    IdempotencyKey.objects.update(is_done=False)

    response = acme.post("leads", lead(1), key="k")

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_in_flight")
    assert 1 <= int(response["Retry-After"]) <= 5


@pytest.mark.parametrize("hours", [-1, 1])
def test_d_a_host_whose_clock_jumps_holds_a_key_no_longer_and_no_shorter(
    acme: PartnerClient, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    real = time.time
    claiming = {"partner_id": acme.partner.pk, "key": "k", "fingerprint": "0"}
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: real() + hours * 3600)
        assert abs(clock.now() - shared_clock.now()) > timedelta(minutes=59)
        held = idempotency.claim(**claiming, now=clock.now())
    assert isinstance(held, idempotency.Claim)
    assert timedelta(0) < held.lease_until - shared_clock.now() <= idempotency.LEASE
    with pytest.raises(idempotency.KeyInFlight):
        idempotency.claim(**claiming, now=clock.now())
    IdempotencyKey.objects.update(lease_until=shared_clock.now() - timedelta(seconds=1))
    assert isinstance(idempotency.claim(**claiming, now=clock.now()), idempotency.Claim)


def test_after_a_crash_the_call_can_be_repeated(acme: PartnerClient) -> None:
    acme.post("leads", lead(1), key="k")
    PartnerLead.objects.all().delete()
    Customer.objects.all().delete()
    IdempotencyKey.objects.update(is_done=False, lease_until=clock.now() - timedelta(seconds=1))

    response = acme.post("leads", lead(1), key="k")

    assert response.status_code == 201
    assert Customer.objects.count() == 1


def test_a_failure_rolls_back_and_gives_the_key_back(
    acme: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_facts: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", fail)
        response = acme.post("leads", lead(1), key="k")

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert Customer.objects.count() == IdempotencyKey.objects.count() == 0
    assert acme.post("leads", lead(1), key="k").status_code == 201


def test_a_refused_item_does_not_use_up_the_key(acme: PartnerClient) -> None:
    assert acme.post("leads", lead(1, phone="no"), key="k").status_code == 422
    assert acme.post("leads", lead(1), key="k").status_code == 201


def test_a_lead_needs_a_key_and_an_event_does_not(acme: PartnerClient) -> None:
    assert acme.post("leads", lead(1)).json()["code"] == "idempotency_key_required"
    assert acme.post("leads/bulk", {"leads": [lead(1)]}).status_code == 400
    assert Customer.objects.count() == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "with blank", "中文"])
def test_a_malformed_key_is_refused(acme: PartnerClient, key: str) -> None:
    response = acme.post("leads", lead(1), key=key)

    assert response.json()["code"] == "idempotency_key_malformed"


def test_a_reply_is_forgotten_after_seven_days(acme: PartnerClient) -> None:
    acme.post("leads", lead(1), key="k")
    IdempotencyKey.objects.update(created_at=clock.now() - idempotency.KEPT_FOR)

    response = acme.post("leads", lead(2), key="k")

    assert response.status_code == 201
    assert idempotency.forget_old_keys(now=clock.now() + idempotency.KEPT_FOR) == 1


def test_of_two_claims_of_one_crashed_call_only_one_is_won(
    acme: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    call = {"partner_id": acme.partner.pk, "key": "k", "fingerprint": "f"}
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "LEASE", timedelta(seconds=-1))
        first = idempotency.claim(**call, now=now)
    second = idempotency.claim(**call, now=now)

    assert isinstance(first, idempotency.Claim)
    assert isinstance(second, idempotency.Claim)
    with pytest.raises(idempotency.KeyInFlight):
        idempotency.store(first, idempotency.Reply(200, b"late"))
    idempotency.store(second, idempotency.Reply(200, b"kept"))
    assert idempotency.claim(**call, now=now) == idempotency.Reply(200, b"kept")
