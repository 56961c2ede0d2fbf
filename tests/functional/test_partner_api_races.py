"""Two copies of one call at the same time, and two partners with the same person."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.core.cache import cache

from campaigns.models import PartnerLead
from campaigns.services.partners import contracts
from customers.models import Customer
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.functional.test_partner_api import Account

ACTOR = system_actor("test")

pytestmark = [pytest.mark.slow, pytest.mark.sql, pytest.mark.django_db(transaction=True)]


def _account(url: str, slug: str) -> Account:
    __, credentials = contracts.register_partner(actor=ACTOR, slug=slug, name=slug, now=clock.now())
    account = Account(f"{url}/api/v1", credentials.client_id, credentials.client_secret)
    account.log_in()
    return account


def _bulk(account: Account, key: str, prefix: str) -> requests.Response:
    leads = [
        {"reference": f"{prefix}{number}", "name": "张三", "phone": f"137{number:08d}"}
        for number in range(200)
    ]
    return account.call(
        "POST", "leads/bulk", json={"leads": leads}, headers={"Idempotency-Key": key}
    )


def test_parallel_copies_of_one_call_are_executed_once(live_server: Any) -> None:
    cache.clear()
    account = _account(live_server.url, "acme")

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _copy: _bulk(account, "same", "L"), range(6)))

    done = [reply for reply in replies if reply.status_code == 200]
    assert {reply.status_code for reply in replies} <= {200, 409}
    assert len({reply.content for reply in done}) == 1
    assert sum("Idempotent-Replay" not in reply.headers for reply in done) == 1
    assert all("Retry-After" in reply.headers for reply in replies if reply.status_code == 409)
    assert PartnerLead.objects.count() == Customer.objects.count() == 200


def test_two_partners_at_once_share_no_credit(live_server: Any) -> None:
    cache.clear()
    accounts = [_account(live_server.url, slug) for slug in ("acme", "bolt", "cato")]

    with ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(lambda account: _bulk(account, "k", "L"), accounts))

    assert [reply.status_code for reply in replies] == [200, 200, 200]
    totals = Counter[str]()
    for reply in replies:
        totals.update(item["status"] for item in reply.json()["results"])
    assert totals == {"accepted": 200, "duplicate": 400}
    assert Customer.objects.count() == 200
    standings = Counter(PartnerLead.objects.values_list("standing", flat=True))
    assert standings == {"attributed": 200, "duplicate": 400}
