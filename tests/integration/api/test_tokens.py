"""Who gets a token, what it is good for, and that nothing usable is stored."""

import base64
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from oauth2_provider.models import AccessToken, Application

from campaigns import tasks
from campaigns.domain.partners.contract import TokenScope, scopes_for
from campaigns.services.partners import contracts
from customers.domain.sources import SourceKind
from customers.models import DataSource
from loancrm.kernel import clock
from tests.partner_client import ACTOR, ROOT, PartnerClient, lead, new_partner


def test_client_credentials_give_a_bearer_token_for_an_hour(acme: PartnerClient) -> None:
    response = acme.get_token()

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    token = response.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert set(token["scope"].split()) == {scope.value for scope in scopes_for(SourceKind.PARTNER)}


def test_credentials_in_basic_authentication_are_accepted(acme: PartnerClient) -> None:
    response = Client().post(
        f"{ROOT}oauth/token/",
        {"grant_type": "client_credentials", "scope": "leads:write"},
        headers={"Authorization": _basic(acme.client_id, acme.client_secret)},
    )

    assert response.status_code == 200
    assert response.json()["scope"] == "leads:write"


def test_neither_token_nor_secret_is_stored_in_clear(acme: PartnerClient) -> None:
    stored = AccessToken.objects.get()
    application = Application.objects.get()

    assert stored.token == ""
    assert stored.token_checksum != acme.token
    assert application.client_secret.startswith("client-secret$")
    assert acme.client_secret not in application.client_secret


@pytest.mark.parametrize(
    ("_case", "change", "status", "code"),
    [
        ("wrong secret", {"client_secret": "wrong"}, 401, "invalid_client"),
        ("unknown client", {"client_id": "nobody"}, 401, "invalid_client"),
        ("password grant", {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ("code grant", {"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ("refresh", {"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ("unknown scope", {"scope": "admin"}, 400, "invalid_scope"),
    ],
)
def test_other_ways_to_a_token_are_refused(
    acme: PartnerClient, _case: str, change: dict[str, str], status: int, code: str
) -> None:
    before = AccessToken.objects.count()

    response = acme.get_token(**change)

    problem = response.json()
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert (problem["code"], problem["error"], problem["status"]) == (code, code, status)
    assert AccessToken.objects.count() == before


def test_a_partner_gets_only_the_scopes_it_was_granted(db: None) -> None:
    reader = new_partner("reader", scopes=[TokenScope.REPORTS_READ])

    assert reader.get_token().json()["scope"] == "reports:read"
    assert reader.get_token(scope="leads:write").json()["code"] == "invalid_scope"
    refused = reader.post("leads", lead(1), key="k")
    assert refused.status_code == 403
    assert refused.json()["code"] == "insufficient_scope"


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 5000])
def test_a_call_without_a_valid_token_is_401(acme: PartnerClient, token: str) -> None:
    acme.token = token

    response = acme.get("campaigns")

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["code"] in {"invalid_token", "not_authenticated"}


def test_a_call_without_credentials_is_401(db: None) -> None:
    response = Client().get(f"{ROOT}campaigns", headers={"Accept-Language": "en"})

    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"


def test_a_session_of_a_superuser_opens_nothing(db: None) -> None:
    client = Client()
    client.force_login(
        User.objects.create_superuser("root"), backend="django.contrib.auth.backends.ModelBackend"
    )

    assert client.get(f"{ROOT}campaigns").status_code == 401


def test_a_revoked_token_is_dead_at_once(acme: PartnerClient) -> None:
    response = acme.http.post(
        f"{ROOT}oauth/revoke/",
        {
            "token": acme.token,
            "client_id": acme.client_id,
            "client_secret": acme.client_secret,
        },
    )

    assert response.status_code == 200
    assert acme.get("campaigns").status_code == 401


def test_a_partner_cannot_revoke_anothers_token(acme: PartnerClient, bolt: PartnerClient) -> None:
    bolt.http.post(
        f"{ROOT}oauth/revoke/",
        {
            "token": acme.token,
            "client_id": bolt.client_id,
            "client_secret": bolt.client_secret,
        },
    )

    assert acme.get("campaigns").status_code == 200


def test_an_expired_token_is_refused(acme: PartnerClient) -> None:
    AccessToken.objects.update(expires=clock.now())

    assert acme.get("campaigns").json()["code"] == "invalid_token"


def test_switching_a_partner_off_takes_effect_on_the_next_request(acme: PartnerClient) -> None:
    contracts.set_active(
        actor=ACTOR, partner=acme.partner, is_active=False, now=clock.now(), reason="test"
    )

    assert acme.get("campaigns").json()["code"] == "invalid_token"
    assert acme.get_token().json()["code"] == "invalid_scope"


def test_an_ended_contract_closes_the_door(acme: PartnerClient) -> None:
    DataSource.objects.update(valid_until="2020-01-01")

    response = acme.get("campaigns")

    assert response.status_code == 403
    assert response.json()["code"] == "partner_inactive"


def test_a_second_client_works_beside_the_first_until_that_is_removed(acme: PartnerClient) -> None:
    fresh = contracts.add_client(actor=ACTOR, partner=acme.partner, now=clock.now())
    renewed = PartnerClient(acme.partner, fresh.client_id, fresh.client_secret)

    renewed.token = renewed.get_token().json()["access_token"]
    assert acme.get("campaigns").status_code == renewed.get("campaigns").status_code == 200
    contracts.remove_client(
        actor=ACTOR, partner=acme.partner, client_id=acme.client_id, now=clock.now()
    )
    assert acme.get("campaigns").status_code == 401
    assert renewed.get("campaigns").status_code == 200


def test_the_daily_job_deletes_expired_tokens_only(
    acme: PartnerClient, bolt: PartnerClient
) -> None:
    AccessToken.objects.filter(user=None, application__user=acme.partner.user).update(
        expires=clock.now() - timedelta(days=1)
    )

    tasks.forget_api_leftovers()

    assert [token.application.user for token in AccessToken.objects.all()] == [bolt.partner.user]


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
