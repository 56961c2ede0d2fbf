"""Nobody who has proved nothing can keep a partner out; a lost cache is said and passes."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client, RequestFactory, override_settings
from redis.exceptions import ConnectionError as RedisGone

from loancrm.kernel.security.client_address import client_address
from tests.partner_client import ROOT, PartnerClient, lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    def gone(*_args: object, **_options: object) -> None:
        raise RedisGone

    with pytest.MonkeyPatch.context() as patch:
        for name in ("add", "incr", "get", "set"):
            patch.setattr(type(cache._connections["default"]), name, gone)  # type: ignore[attr-defined]
        yield patch


def test_e6_junk_tokens_from_the_same_proxy_block_no_partner(
    acme: PartnerClient, bolt: PartnerClient
) -> None:
    junk = [
        Client().get(f"{ROOT}campaigns", headers={"Authorization": f"Bearer junk{number}"})
        for number in range(200)
    ]

    assert [response.status_code for response in junk] == [401] * 60 + [429] * 140
    assert acme.get("campaigns").status_code == bolt.get("campaigns").status_code == 200


def test_e6_junk_credentials_from_the_same_proxy_keep_no_partner_from_its_token(
    acme: PartnerClient,
) -> None:
    for _number in range(100):
        Client().post(
            f"{ROOT}oauth/token/",
            {"grant_type": "client_credentials", "client_id": acme.client_id, "client_secret": "x"},
        )

    assert acme.get_token().status_code == 200


def test_a_client_that_fetches_too_many_tokens_waits_and_the_others_do_not(
    acme: PartnerClient, bolt: PartnerClient
) -> None:
    statuses = [acme.get_token().status_code for _ in range(35)]

    assert statuses.count(429) == 6
    assert bolt.get_token().status_code == 200


def test_e6_without_redis_the_api_says_503_stores_nothing_and_comes_back(
    acme: PartnerClient, lost_cache: pytest.MonkeyPatch
) -> None:
    answers = [acme.get("campaigns"), acme.post("leads", lead(1), key="k"), acme.get_token()]
    lost_cache.undo()
    again = acme.post("leads", lead(1), key="k")

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all(int(answer["Retry-After"]) > 0 for answer in answers)
    assert answers[0].json()["code"] == "unavailable"
    assert again.status_code == 201
    assert again.json()["status"] == "accepted"


def test_without_redis_the_public_form_says_503_with_a_page(
    lost_cache: pytest.MonkeyPatch, client: Client
) -> None:
    del lost_cache
    page = client.get("/enquiry/")
    answer = client.post("/enquiry/", {"name": "x"})

    assert page.status_code in {200, 503}
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0


def _asked(remote: str, forwarded: str = "") -> HttpRequest:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "198.51.100.9", "10.0.0.1"),
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "6.6.6.6, 198.51.100.9", "198.51.100.9"),
        (2, "6.6.6.6, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        (1, "", "10.0.0.1"),
        (1, "not an address", "10.0.0.1"),
        (1, "198.51.100.9:5511", "198.51.100.9"),
        (1, "[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (1, "::ffff:198.51.100.9", "198.51.100.9"),
    ],
)
def test_e6_the_address_is_the_one_that_the_outermost_own_proxy_saw(
    proxies: int, forwarded: str, expected: str
) -> None:
    with override_settings(LOANCRM_PROXY_COUNT=proxies):
        assert client_address(_asked("10.0.0.1", forwarded)) == expected
