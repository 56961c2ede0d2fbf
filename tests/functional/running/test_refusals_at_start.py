"""Every process says in a few lines why it does not start, and ends with status 1."""

import os
import sys

import pytest

from tests.functional import once, preloaded
from tests.functional.processes import MANAGE, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PYTHON = sys.executable
PROCESSES = {
    "manage": (*MANAGE, "refresh_lifecycle"),
    "check": (*MANAGE, "check", "--deploy"),
    "worker": (PYTHON, "-m", "celery", "-A", "loancrm", "worker"),
    "beat": (PYTHON, "-m", "celery", "-A", "loancrm", "beat", "--pidfile", "", "-s", "FOLDER/b"),
    "web": (PYTHON, "-m", "gunicorn", "loancrm.wsgi:application", "--bind", "127.0.0.1:0"),
    "up": (*MANAGE, "up", "--port", "1"),
}  # fmt: skip
SECRETS = {
    "LOANCRM_SECRET_KEY": "x7Qk2mP9vL4tR8wZ1nB6cY3hJ5dF0gS7aE2uI9oT4pK8qW1zX6",
    "LOANCRM_KEYS": "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "LOANCRM_INDEX_KEY": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
    "LOANCRM_ALLOWED_HOSTS": "crm.lender.example",
    "LOANCRM_PUBLIC_URL": "https://crm.lender.example",
    "LOANCRM_PROXY_COUNT": "1",
}
FOREIGN = ("DATABASE_URL", "REDIS_URL", "LOANCRM_TEST_DB")


def environment(folder, **variables):
    own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    settings = {"DJANGO_SETTINGS_MODULE": "loancrm.settings.prod", "LOANCRM_VAR_DIR": str(folder)}
    return own | SECRETS | settings | {"LOANCRM_LANGUAGE": "en"} | variables


def run(name, folder, **variables):
    words = [word.replace("FOLDER", str(folder)) for word in PROCESSES[name]]
    return preloaded.run(words, env=environment(folder, **variables), cwd=ROOT, seconds=200)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("migrated")
    once.copy_of("migrated-in-production", _migrate, folder)
    return folder


def _migrate(folder):
    words = (*MANAGE, "migrate", "-v0")
    done = preloaded.run(words, env=environment(folder), cwd=ROOT, seconds=200)
    assert done.returncode == 0, done.stderr


WRONG = {
    "LOANCRM_DISPATCH_WORKERS": "-3",
    "LOANCRM_TIME_ZONE": "Mars/Olympus",
    "LOANCRM_LOG_LEVEL": "loud",
    "LOANCRM_SSL_REDIRECT": "maybe",
    "LOANCRM_JSON_LOGS": "maybe",
    "LOANCRM_ALLOWED_HOSTS": "*",
    "LOANCRM_PUBLIC_URL": "http://crm.lender.example",
    "LOANCRM_QUARANTINE_DAYS": "0",
    "LOANCRM_HISTORY_DAYS": "0",
    "LOANCRM_TEXT_DAYS": "0",
    "LOANCRM_PROXY_COUNT": "-1",
    "LOANCRM_SECRET_KEY": "short",
    "LOANCRM_KEYS": "k1:notbase64",
    "LOANCRM_INDEX_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "LOANCRM_LANGUAGE": "tlh",
    "LOANCRM_SENDING_WINDOW": "20-9",
    "LOANCRM_SERVICE_SENDING_WINDOW": "22-7",
    "LOANCRM_DEMO_CLOCK": "/clock.json",
    "REDIS_URL": "http://127.0.0.1:6379",
    "DATABASE_URL": "postgres://user@host:port/name",
}


@pytest.mark.parametrize("name", PROCESSES)
def test_h2_all_wrong_settings_are_told_at_once_without_a_traceback(name, tmp_path):
    done = run(name, tmp_path, **WRONG)
    assert done.returncode == 1
    for setting in WRONG:
        assert f"  - {setting}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", [name for name in PROCESSES if name != "up"])
def test_h2_no_process_starts_with_another_index_key(name, migrated):
    other = "IiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEE="
    done = run(name, migrated, LOANCRM_INDEX_KEY=other)
    assert done.returncode == 1
    assert "LOANCRM_INDEX_KEY: not the key" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["check", "worker", "beat", "web"])
def test_h2_a_dead_database_is_one_line(name, tmp_path):
    done = run(name, tmp_path, DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")
    assert done.returncode == 1
    assert "database_unavailable" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["check", "worker", "beat"])
def test_h2_an_absent_broker_is_one_line(name, migrated):
    done = run(name, migrated, REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert done.stderr.count("broker_unavailable") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["check", "worker", "beat", "web"])
def test_h2_an_empty_database_asks_for_its_migrations(name, tmp_path):
    done = run(name, tmp_path)
    assert done.returncode == 1
    assert "database_missing" in done.stderr
    assert not (tmp_path / "loancrm.sqlite3").exists()


def test_h4_pages_without_their_files_are_not_served(migrated):
    done = run("web", migrated)
    assert done.returncode == 1
    assert "static_missing" in done.stderr
    assert "collectstatic" in done.stderr
