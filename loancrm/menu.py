"""The menu: lines for those who work with what they lead to, and tabs of what stands beside it."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.module_loading import import_string

from loancrm.kernel.manifest import MenuEntry, Section

Menu = Iterable[tuple[Section, tuple[MenuEntry, ...]]]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the lines of the menu that this user may open and works with."""
    return [
        {
            "title": str(section.title),
            "separator": False,
            "items": [_line(request, entry) for entry in shown],
        }
        for section, entries in settings.LOANCRM_MANIFESTS.menu
        if (shown := [entry for entry in entries if has_line(entry) and is_shown(request, entry)])
    ]


def bells(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what stands in the head of every page, with what waits there."""
    return [
        _line(request, entry)
        for _section, entries in settings.LOANCRM_MANIFESTS.menu
        for entry in entries
        if entry.is_bell and is_shown(request, entry)
    ]


def has_line(entry: MenuEntry) -> bool:
    """Return whether an entry has a line of its own in the menu."""
    return not entry.beside and not entry.is_bell


def tabs_of(menu: Menu) -> list[dict[str, Any]]:
    """Return, for the theme, the tabs of each line that others stand beside.

    Pages of ours show theirs by `{% tab_list "TARGET OF THE LINE" %}`, lists of the admin do so by
    themselves.
    """
    entries = [entry for _section, found in menu for entry in found]
    found = []
    for line in entries:
        beside = [entry for entry in entries if entry.beside == line.target]
        if beside:
            shown = (line, *beside)
            found.append(
                {
                    "page": line.target,
                    "models": [entry.model for entry in shown if entry.model],
                    "items": [_tab(entry) for entry in shown],
                }
            )
    return found


def is_shown(request: HttpRequest, entry: MenuEntry) -> bool:
    """Return whether the reader may open what an entry leads to, and works with it."""
    if entry.worked_by and not any(request.user.has_perm(name) for name in entry.worked_by):
        return False
    if entry.is_work:
        kinds = settings.LOANCRM_MANIFESTS.work_kinds.values()
        return any(request.user.has_perm(kind.view) for kind in kinds)
    if entry.needed is None or request.user.has_perm(entry.needed):
        return True
    from loancrm.kernel.security import grants  # noqa: PLC0415 - tables are not there at import

    return entry.is_shared and grants.holds_any(request.user, entry.needed)


def _line(request: HttpRequest, entry: MenuEntry) -> dict[str, Any]:
    line = {"title": str(entry.title), "icon": entry.icon, "link": reverse(entry.address)}
    if entry.badge and (count := import_string(entry.badge)(request)):
        line["badge"] = count
    return line


def _tab(entry: MenuEntry) -> dict[str, Any]:
    return {
        "title": entry.title if entry.tab is None else entry.tab,
        "link": reverse_lazy(entry.address),
        "permission": _asked(entry),
    }


def _asked(entry: MenuEntry) -> Callable[[HttpRequest], bool]:
    """Return the question whether a reader is shown the entry, which is not copied with tabs."""

    def asked(request: HttpRequest) -> bool:
        return is_shown(request, entry)

    return asked
