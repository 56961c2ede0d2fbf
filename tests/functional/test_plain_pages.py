"""Pages are handed plain data: no query hides in a template of ours (ADR 0019).

A crawl of the admin. The lists and forms that Django's admin draws read while they are drawn, by
its design; the pages of our own may not.
"""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.template.base import Template
from django.test import Client

from tests.functional.test_pages_speak import crawl, house  # noqa: F401  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(600)]
OURS = Path(settings.BASE_DIR) / "templates" / "django"
# Of these Django's admin draws the whole; ours only adds to it.
OF_THE_ADMIN = {"admin/change_form.html"}
MAIN_PAGES = {
    "admin/index.html",
    "analytics/discovery_form.html",
    "analytics/report.html",
    "campaigns/form.html",
    "campaigns/page.html",
    "campaigns/unknown.html",
    "customers/import_form.html",
    "customers/profile.html",
    "customers/segment.html",
    "customers/timeline.html",
}
# Pieces that a page fetches by itself.
PIECES = re.compile(r'(?:hx-get|data-load)="([^"]+)"')


def _name(template: Template) -> str:
    """Return the name of a template of ours, and nothing for one of somebody else's."""
    path = Path(template.origin.name)
    name = str(path.relative_to(OURS)) if path.is_relative_to(OURS) else ""
    return "" if name in OF_THE_ADMIN else name


@pytest.fixture
def reads(monkeypatch) -> dict[str, set[str]]:
    """What was asked of the database while a template was drawn; every template that was drawn."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    open_pages: list[str] = []
    draw = Template._render

    def watched(self, context):
        # The page is what was asked for, not what it includes; its context stands by now.
        if open_pages:
            return draw(self, context)
        open_pages.append(_name(self))
        _ = found[open_pages[0]]
        try:
            return draw(self, context)
        finally:
            open_pages.clear()

    def note_read(execute, sql, params, many, context):
        if open_pages:
            found[open_pages[0]].add(sql)
        return execute(sql, params, many, context)

    monkeypatch.setattr(Template, "_render", watched)
    with connection.execute_wrapper(note_read):
        yield found


@pytest.mark.sql
def test_no_page_of_ours_asks_the_database_while_it_is_drawn(house, reads) -> None:  # noqa: F811
    user = User.objects.create_user("reader", password="x", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    pieces: set[str] = set()
    for address, _reader in crawl(client, "/admin/", "en"):
        pieces |= set(PIECES.findall(client.get(address).content.decode()))
    for piece in sorted(pieces)[:40]:
        client.get(piece)
    reads.pop("", None)

    assert len(reads) > 20, sorted(reads)
    assert reads.keys() >= MAIN_PAGES
    assert {name: sorted(sql) for name, sql in reads.items() if sql} == {}
