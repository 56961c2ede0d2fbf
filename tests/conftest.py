"""What all tests share."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from django.core.cache import cache
from django.utils import timezone, translation

from campaigns.channels import registry
from loancrm.api import throttling
from loancrm.kernel.access import Actor, system_actor

# How long an example takes says how busy the machine is; speed is shown by the benchmarks.
hypothesis.settings.register_profile("loancrm", deadline=None)
hypothesis.settings.load_profile("loancrm")

# Looking through everything that is loaded for garbage took a tenth of the suite's time.
gc.set_threshold(100_000, 50, 1_000)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets beside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder ../shared/data with the real data sets is not here")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _nothing_outlives_a_test() -> Iterator[None]:
    """Begin without what another test left in the process: channels, counts, language, zone."""
    _forget()
    yield
    _forget()


@pytest.fixture(autouse=True)
def _a_window_of_rates_does_not_end_in_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count all that a test asks for in one window; the turn of a minute would let more pass."""
    monkeypatch.setattr(
        throttling, "_window", lambda subject: (f"rate:{subject}", throttling.WINDOW_SECONDS)
    )


def _forget() -> None:
    registry.close_all()
    cache.clear()
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture
def now() -> datetime:
    """A Wednesday, 10:00 in Shanghai: inside every sending window."""
    return datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


@pytest.fixture
def actor() -> Actor:
    """The system itself, which may do everything."""
    return system_actor("test")
