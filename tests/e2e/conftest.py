"""A real browser against a live server; skipped where Chromium is missing."""

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from campaigns.channels.memory import MemoryChannel
from campaigns.models import Campaign, Dispatch, Message
from campaigns.services.campaigns import launch, ticking
from campaigns.services.sending import dispatch as dispatching
from customers.models import Customer, Event, EventType
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = Path(settings.BASE_DIR) / "var" / "screenshots"
LOCALES = {"zh-hans": "zh-CN", "en": "en-US"}
PEOPLE = 40
ANSWERS_END_WITHIN_SECONDS = 30


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, and let every test commit: the server is another thread."""
    for item in items:
        if "tests/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium a module: while it runs, no other test can start an event loop."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium at /usr/bin/chromium or on PATH")
    # Playwright keeps an event loop in this thread; Django would refuse the ORM because of it.
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    patch.undo()


@dataclass
class Screen:
    """One signed-in browser page and what it complained about."""

    page: Page
    base: str
    language: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of the server and wait until it is quiet."""
        self.page.goto(self.base + path, wait_until="networkidle")
        return self.page

    def shoot(self, name: str) -> None:
        """Keep a picture for people to look at."""
        self.page.screenshot(path=picture(self.language, name), full_page=True)


def picture(language: str, name: str) -> Path:
    """Return where a picture for people to look at is kept."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS / f"e2e_{language}_{name}.png"


@pytest.fixture
def open_screen(browser: Browser, live_server: Any) -> Iterator[Callable[..., Screen]]:
    """Sign in and open a page; at the end no page may have logged an error."""
    screens: list[Screen] = []

    def opened(user: User, language: str) -> Screen:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, locale=LOCALES[language]
        )
        host = urlsplit(live_server.url).hostname
        context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                    "domain": host,
                    "path": "/",
                }
            ]
        )
        screen = Screen(context.new_page(), live_server.url, language)
        screen.page.on(
            "console",
            lambda message: (
                screen.complaints.append(message.text) if message.type == "error" else None
            ),
        )
        screen.page.on("pageerror", lambda error: screen.complaints.append(str(error)))
        screens.append(screen)
        return screen

    yield opened
    for screen in screens:
        screen.page.goto("about:blank")
        screen.page.context.close()
    # A request that is still being answered must not meet the emptying of the tables.
    _let_answers_end()
    for screen in screens:
        assert screen.complaints == []


def _let_answers_end() -> None:
    """Wait for the server's threads: each ends with the connection that the browser has closed."""
    deadline = time.monotonic() + ANSWERS_END_WITHIN_SECONDS
    quiet = 0
    # Twice, for what was taken in between the first look and the second.
    while quiet < 2:
        is_busy = any("process_request_thread" in one.name for one in threading.enumerate())
        quiet = 0 if is_busy else quiet + 1
        assert time.monotonic() < deadline, "the server still answers"
        time.sleep(0.02)


@pytest.fixture
def marketer() -> User:
    """Somebody who may write, launch and read everything."""
    return User.objects.create_superuser("marketer", password="x")


@pytest.fixture
def approver() -> User:
    """Somebody else who may approve."""
    return User.objects.create_superuser("approver", password="x")


@pytest.fixture
def people() -> list[Customer]:
    """Forty reachable customers, half of whom logged in this week."""
    rows = make_people(PEOPLE, city="杭州", province="浙江")
    login = EventType.objects.get_or_create(name="app_login")[0]
    now = clock.now()
    Event.objects.bulk_create(
        Event(
            customer=customer,
            type=login,
            occurred_at=now - timedelta(days=2),
            received_at=now,
            channel="app",
            source="test",
            dedup_key=str(customer.pk),
        )
        for customer in rows[: PEOPLE // 2]
    )
    return rows


@pytest.fixture
def segment(people: list[Customer], marketer: User) -> Any:
    """Everybody, as a stored segment."""
    actor, now = user_actor(marketer), clock.now()
    rule = {"combinator": "and", "rules": []}
    made = versions.create_segment(
        slug="everybody", name="全部客户", rule=rule, actor=actor, now=now
    )
    versions.recount(segment=made, actor=actor, now=now)
    return made


def daytime() -> datetime:
    """Yesterday, 10:00 in the company's zone: inside the sending window and in the past."""
    here = clock.now().astimezone(clock.company_zone()) - timedelta(days=1)
    return here.replace(hour=10, minute=0, second=0, microsecond=0)


@pytest.fixture
def launched(
    segment: Any, marketer: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> Campaign:
    """A campaign by SMS with two variants and a control group, frozen and not sent yet."""
    # The wake-up would read the real clock, which may stand outside the sending window.
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_kwargs: None)
    make_channel("sms")
    variants = [
        {"key": "A", "weight": 50, "content": SMS},
        {"key": "B", "weight": 50, "content": SMS},
    ]
    dispatch: Dispatch = make_launched(
        user_actor(marketer),
        daytime(),
        segment="everybody",
        channel="sms-memory",
        content=None,
        variants=variants,
        holdout_share="0.2",
        costs=[{"category": "media", "amount": "100.00"}],
    )
    return dispatch.campaign


def send_all() -> None:
    """Work everything that is due, as a worker would."""
    at = daytime() + timedelta(minutes=1)
    ticking.advance(now=at)
    dispatching.drain(holder="test", clock=lambda: at, rng=random.Random(1), slice_seconds=20)
    ticking.advance(now=at + timedelta(minutes=1))


def convert(campaign: Campaign, count: int) -> None:
    """Let the first people who were sent a message apply for a loan."""
    submitted = EventType.objects.get_or_create(name="application_submitted")[0]
    sent = Message.objects.filter(dispatch__campaign=campaign, sent_at__isnull=False)
    Event.objects.bulk_create(
        Event(
            customer_id=message.customer_id,
            type=submitted,
            occurred_at=message.sent_at + timedelta(hours=1),
            received_at=clock.now(),
            source="test",
            dedup_key=f"apply-{message.pk}",
        )
        for message in sent.order_by("pk")[:count]
    )


@pytest.fixture(autouse=True)
def _clean_memory_channel() -> Iterator[None]:
    yield
    if hasattr(MemoryChannel, "clear"):
        MemoryChannel.clear()
