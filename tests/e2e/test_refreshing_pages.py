"""Pages that ask again by themselves are used by keyboard; nothing pushes their buttons out."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from customers.jobs import IMPORT
from customers.models import ImportBatch
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.work import service
from tests.e2e.conftest import Screen
from tests.factories.people import make_people

LANGUAGES = pytest.mark.parametrize("language", ["zh-hans", "en"])
LONG = "customers_of_all_branches_" * 9 + ".csv"
PAUSE = {"zh-hans": "暂停", "en": "Pause"}
SHOW = {"zh-hans": "查看", "en": "Show"}


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> ImportBatch:
    """An import with a long name that no worker takes."""
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    now = clock.now()
    actor = user_actor(User.objects.create_superuser("operator"))
    work = service.start(kind=IMPORT, actor=actor, now=now, title=LONG)
    return ImportBatch.objects.create(
        work=work, source="crm", file_name=LONG, mode="upsert", state="queued", created_at=now
    )


@LANGUAGES
@pytest.mark.parametrize("place", ["work", "import"])
def test_the_focus_stays_while_the_page_asks_again(
    open_screen: Callable[..., Screen], waiting: ImportBatch, language: str, place: str
) -> None:
    screen = open_screen(User.objects.get(), language)
    address = f"/admin/customers/importbatch/{waiting.pk}/change/"
    page = screen.go("/admin/work/" if place == "work" else address)
    button = page.get_by_role("button", name=PAUSE[language], exact=True)
    button.focus()
    if place == "work":
        # Only the part in question is new; the page around it stays.
        page.evaluate("document.querySelector('#work').isOld = true; window.isOld = true")
        page.wait_for_function("!document.querySelector('#work').isOld", timeout=20_000)
        assert page.evaluate("window.isOld")
    else:
        page.evaluate("window.isOld = true")
        page.wait_for_function(
            "!window.isOld && document.readyState === 'complete'", timeout=20_000
        )

    expect(button).to_be_focused()


@LANGUAGES
def test_a_long_name_leaves_the_buttons_in_the_frame(
    open_screen: Callable[..., Screen], waiting: ImportBatch, language: str
) -> None:
    screen = open_screen(User.objects.get(), language)
    screen.page.set_viewport_size({"width": 1280, "height": 800})
    page = screen.go("/admin/work/")
    box = page.locator(".lcx-scroll")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    for button in page.locator("td .lcx-button").all():
        expect(button).to_be_in_viewport(ratio=1)
    screen.shoot("work_long_name")


@LANGUAGES
def test_a_past_day_is_shown_when_it_is_asked_for(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    person = make_people(1, language=language)[0]
    screen = open_screen(marketer, language)
    page = screen.go(f"/admin/customers/customer/{person.pk}/change/")
    day = page.locator("#past input[name=day]")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "day=" in request.url else None)

    day.fill("2025-03-04")
    day.dispatch_event("change")
    page.wait_for_timeout(500)
    assert asked == []

    # The box itself is exchanged with the answer: what is typed before that would be lost.
    day.evaluate("box => { box.dataset.before = 'yes' }")
    with page.expect_response("**/past/?day=2025-03-04"):
        page.get_by_role("button", name=SHOW[language], exact=True).and_(
            page.locator("#past button")
        ).press("Enter")
    expect(day).not_to_have_attribute("data-before", "yes")
    expect(day).to_have_value("2025-03-04")
    expect(page.locator("#past button")).to_be_focused()
    with page.expect_response("**/past/?day=2025-03-05"):
        day.fill("2025-03-05")
        day.press("Enter")
    expect(day).to_be_focused()
