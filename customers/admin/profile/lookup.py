"""The words by which a customer is looked for: posted, kept sealed, never in an address.

Addresses end up in logs, histories and bookmarks, and these words are names and numbers. The
address of the found list carries a random key of the session instead, so that paging works and the
address says nothing to anybody else.
"""

import base64
from uuid import UUID, uuid4

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from loancrm import admin_lookups, admin_pages
from loancrm.admin_lookups import FIND
from loancrm.kernel.security import crypto

_SESSION = "customer_lookups"
_COLUMN = "session.customer_lookup"
_LONGEST = 200


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Keep the posted words and show the list that they find."""
    admin_pages.require(request, "customers.view_customer")
    address = reverse("admin:customers_customer_changelist")
    words = request.POST.get("words", "").replace("\x00", "").strip()[:_LONGEST]
    if not words:
        return HttpResponseRedirect(address)
    return HttpResponseRedirect(f"{address}?{FIND}={_store_words(request, words)}")


def words_of(request: HttpRequest) -> str | None:
    """Return the words that the address names; None without any, empty where they are not kept."""
    if FIND not in request.GET:
        return None
    held = admin_lookups.held(request, _SESSION)
    if held is None:
        return ""
    return crypto.vault().open(_COLUMN, UUID(held[0]), base64.b64decode(held[1]))


def url() -> URLPattern:
    """Return the address that the form posts to."""
    return path("search/", admin.site.admin_view(search), name="customers_customer_search")


def _store_words(request: HttpRequest, words: str) -> str:
    row_key = uuid4()
    sealed = base64.b64encode(crypto.vault().seal(_COLUMN, row_key, words)).decode()
    return admin_lookups.store_lookup(request, _SESSION, [str(row_key), sealed])
