"""Deciding about what is of unknown fate: choose, be asked once more, decide."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loancrm import admin_pages
from loancrm.kernel import roles
from loancrm.kernel.words.vocabulary import Vocabulary

DECIDES = "campaigns.launch_campaign"
_F = TypeVar("_F", bound=StrEnum)


def buttons(
    fates: Vocabulary[_F], kinds: Mapping[_F, str], *, offered: Iterable[_F]
) -> list[dict[str, str]]:
    """Return the buttons of the fates that may be decided.

    Args:
        kinds: {fate: the look of its button}.
    """
    return [
        {
            "fate": fate.value,
            "text": fates.label(fate),
            "icon": fates[fate].icon,
            "kind": kinds[fate],
        }
        for fate in offered
    ]


def deciders() -> list[str]:
    """Return the roles that may decide, as people read them (1 query)."""
    _app, _dot, codename = DECIDES.partition(".")
    groups = Group.objects.filter(permissions__codename=codename).order_by("name")
    return [roles.read(name) for name in groups.values_list("name", flat=True)]


def keys(texts: Iterable[str], *, most: int) -> list[int]:
    """Return the rows that a form names, so many at most; what is no key is left out."""
    return [int(text) for text in texts if admin_pages.is_key(text)][:most]


def answer(
    request: HttpRequest,
    *,
    kind: type[_F],
    ids: Sequence[int],
    ask: Callable[[_F], HttpResponse],
    decide: Callable[[_F], int],
    back: HttpResponse,
) -> HttpResponse:
    """Ask about the rows chosen, then decide about them, and say of how many.

    Args:
        kind: The fates that there are.
        ask: Says what a decision will do.
        decide: Takes it; returns of how many.
        back: Where to go afterwards.
    """
    name = request.POST.get("fate", "")
    if name not in set(kind) or not ids:
        text = _("Choose messages and say what happened to them.")
        admin_pages.show_message(request, text, is_good=False)
        return back
    fate = kind(name)
    if "confirmed" not in request.POST:
        return ask(fate)
    with admin_pages.attempt(request, ""):
        count = decide(fate)
        text = ngettext("%(count)s message was decided.", "%(count)s messages were decided.", count)
        admin_pages.show_message(request, text % {"count": count}, is_good=count > 0)
    return back


def question(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    fate: _F,
    fates: Vocabulary[_F],
    kinds: Mapping[_F, str],
    **context: Any,
) -> HttpResponse:
    """Return the page that says what a decision will do before it is taken."""
    return admin_pages.page(
        request,
        template,
        title=title,
        fate=fate.value,
        answer=fates.label(fate),
        kind=kinds[fate],
        consequence=fates.hint(fate),
        **context,
    )
