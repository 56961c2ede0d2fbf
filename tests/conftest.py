"""What all tests share."""

import gc
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import hypothesis
import pytest
from django.core.cache import cache
from django.template import Context, Template
from django.test import client
from django.utils import timezone, translation
from pytest_django import DjangoDbBlocker

from campaigns.channels import registry
from campaigns.models import Campaign
from loancrm.api import throttling
from loancrm.kernel.access import Actor, system_actor
from tests import emptying, ordering, planner
from tests.functional import once

# How long an example takes says how busy the machine is; speed is shown by the benchmarks.
hypothesis.settings.register_profile("loancrm", deadline=None)
hypothesis.settings.load_profile("loancrm")

# Looking through everything that is loaded for garbage took a tenth of the suite's time.
gc.set_threshold(100_000, 50, 1_000)

emptying.replace_flush()

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each of several workers begin with its long tests."""
    if told := getattr(config, "workerinput", None):
        items[:] = ordering.long_first(items, told["workercount"], ordering.seconds_granted)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove, after all workers have ended, what they shared."""
    if not hasattr(config, "workerinput"):
        once.sweep()


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets beside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder ../shared/data with the real data sets is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Make the database, and note what the migrations left in it and what its planner assumes."""
    with django_db_blocker.unblock():
        planner.keep_first_estimates()
        emptying.remember()


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


@pytest.fixture(autouse=True)
def _people_fall_into_the_same_arms_each_time(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give a test's campaigns salts of its file's name: chance decides nothing that it checks.

    A scene that is kept for all tests of a file is the same whichever of them made it.
    """
    name = request.path.name
    numbers = itertools.count()
    salt = Campaign._meta.get_field("experiment_salt")
    monkeypatch.setattr(
        salt, "_get_default", lambda: uuid5(NAMESPACE_OID, f"{name}:{next(numbers)}")
    )


def _note_page(
    store: dict[str, Any], *, context: Context, template: Template, **given: Any
) -> None:
    # Copying the context for each of the hundred templates that a page includes took a tenth of
    # the time of a page.
    if context.template is template:
        _note_template(store, context=context, template=template, **given)


_note_template = client.store_rendered_templates
client.store_rendered_templates = _note_page


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
