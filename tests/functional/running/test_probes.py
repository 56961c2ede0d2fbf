"""Probes of web, worker and beat."""

import time

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from loancrm.kernel.running import heartbeats, readiness

pytestmark = pytest.mark.django_db


def test_e11_the_probes_answer_to_any_host_and_without_tls(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    for path in ("/healthz", "/readyz"):
        answer = client.get(path, headers={"host": "10.0.0.7:8000"})
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "wrong": []})
    assert client.post("/readyz").status_code == 405


def test_e11_a_server_that_cannot_work_is_alive_but_not_ready(client, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["wrong"]) == (503, ["broker_unavailable"])

    def gone():
        raise OperationalError("no route")

    monkeypatch.setattr(readiness.connection, "cursor", gone)
    answer = client.get("/readyz")
    assert answer.json()["wrong"] == ["database_unavailable", "broker_unavailable"]
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("kind", ["worker", "beat"])
def test_e11_a_process_is_healthy_while_it_renews_its_sign_of_life(
    kind, settings, tmp_path, monkeypatch
):
    settings.LOANCRM_VAR_DIR = tmp_path
    with pytest.raises(CommandError, match=r"^not_running: "):
        call_command("health", kind)
    heartbeats.renew(kind, "one@host")
    heartbeats.renew(kind, "two@host")
    call_command("health", kind)
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 61)
    heartbeats.renew(kind, "two@host")
    with pytest.raises(CommandError, match="one@host"):
        call_command("health", kind)
    heartbeats.end(kind, "one@host")
    call_command("health", kind)


def test_e11_a_worker_that_has_lost_its_broker_is_not_healthy(settings, tmp_path):
    settings.LOANCRM_VAR_DIR = tmp_path
    heartbeats.renew("worker", "one@host")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CommandError, match=r"^broker_unavailable: "):
        call_command("health", "worker")
