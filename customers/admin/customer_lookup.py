"""The words by which a customer is looked for: posted, kept sealed, never in an address.

Addresses end up in logs, histories and bookmarks, and these words are names and numbers. The
address of the found list carries a random key of the session instead, so that paging works and the
address says nothing to anybody else.
"""

import base64
import secrets
from typing import Any
from uuid import UUID, uuid4

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.views import ChangeList

from loancrm import admin_pages
from loancrm.kernel import crypto

FIND = "find"
_SESSION = "customer_lookups"
_COLUMN = "session.customer_lookup"
_KEPT = 10
_LONGEST = 200


class LookupChangeList(ChangeList):  # type: ignore[misc] # the theme ships no types
    """A list whose address may carry the key of a lookup, which is no filter of a column."""

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the filters without the key."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(FIND, None)
        return found


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Keep the posted words and show the list that they find."""
    admin_pages.require(request, "customers.view_customer")
    address = reverse("admin:customers_customer_changelist")
    words = request.POST.get("words", "").replace("\x00", "").strip()[:_LONGEST]
    if not words:
        return HttpResponseRedirect(address)
    return HttpResponseRedirect(f"{address}?{FIND}={_keep(request, words)}")


def words_of(request: HttpRequest) -> str | None:
    """Return the words that the address names; None without any, empty where they are not kept."""
    key = request.GET.get(FIND)
    if key is None:
        return None
    held = request.session.get(_SESSION, {}).get(key)
    if held is None:
        return ""
    return crypto.vault().open(_COLUMN, UUID(held[0]), base64.b64decode(held[1]))


def url() -> URLPattern:
    """Return the address that the form posts to."""
    return path("search/", admin.site.admin_view(search), name="customers_customer_search")


def _keep(request: HttpRequest, words: str) -> str:
    row_key, key = uuid4(), secrets.token_urlsafe(9)
    sealed = base64.b64encode(crypto.vault().seal(_COLUMN, row_key, words)).decode()
    held = list(request.session.get(_SESSION, {}).items())[-(_KEPT - 1) :]
    request.session[_SESSION] = {**dict(held), key: [str(row_key), sealed]}
    return key
