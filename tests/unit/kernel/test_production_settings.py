"""Production does not start without what only its operator can know."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMPLETE = {
    "LOANCRM_SECRET_KEY": "x7Qk2mP9vL4tR8wZ1nB6cY3hJ5dF0gS7aE2uI9oT4pK8qW1zX6",
    "LOANCRM_KEYS": "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "LOANCRM_INDEX_KEY": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
    "LOANCRM_ALLOWED_HOSTS": "crm.example.com",
    "LOANCRM_PUBLIC_URL": "https://crm.example.com",
    "LOANCRM_PROXY_COUNT": "1",
}


def _start(tmp_path: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import loancrm.settings.prod as s; print(s.LOANCRM_PROXY_COUNT)"],
        env={"PATH": os.environ["PATH"], "LOANCRM_VAR_DIR": str(tmp_path)} | COMPLETE | changed,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("value", ["", "-1", "two"])
def test_e6_the_number_of_proxies_is_asked_for_at_start(tmp_path: Path, value: str) -> None:
    refused = _start(tmp_path, LOANCRM_PROXY_COUNT=value)

    assert refused.returncode != 0
    assert "LOANCRM_PROXY_COUNT" in refused.stderr


def test_a_start_with_everything_set_goes_on(tmp_path: Path) -> None:
    started = _start(tmp_path)

    assert (started.returncode, started.stdout.strip()) == (0, "1"), started.stderr


@pytest.mark.parametrize("name", ["docs/operations.md", "compose.yaml", ".env.example"])
def test_e6_the_number_of_proxies_stands_wherever_an_operator_reads(name: str) -> None:
    assert "LOANCRM_PROXY_COUNT" in (ROOT / name).read_text(encoding="utf-8")
