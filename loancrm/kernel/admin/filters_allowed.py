"""By what lists may be filtered through their address: only by what the list itself offers.

Django lets any column of a table be asked by any lookup: a birth date could be bisected, a blind
index searched by its beginning, a password's hash compared.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

# What Django's own filters write into their links, behind the field's name.
_CHOICES = ("", "__exact", "__isnull", "__isempty", "__in")
LONGEST_VALUE = 500
# A key of a table has 64 bits; a year has four digits, and databases differ about the others.
LONGEST_NUMBER = 18
LONGEST_YEAR = 4
_DATES = ("", "__gte", "__gt", "__lt", "__lte", "__year", "__month", "__day")


class DeclaredLookups:
    """Refuses what no filter of the list has declared."""

    # Parameters of the list's own that are no filters.
    own_parameters: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Return whether a filter or the calendar of the list offers this lookup."""
        return lookup in self.own_parameters or lookup in set(_declared(self, request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list; a question that no database can be asked is dropped."""
        if any(_is_impossible(name, value) for name, value in _asked(request)):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        response: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc] # of ModelAdmin
        return response


def _asked(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for name, values in request.GET.lists():
        yield from ((name, str(value)) for value in values)


def _is_impossible(name: str, value: str) -> bool:
    if "\x00" in value or "\x00" in name or len(value) > LONGEST_VALUE:
        return True
    digits = value.lstrip("+-")
    if name == SEARCH_VAR or not digits.isdecimal():
        return False
    return len(digits) > (LONGEST_YEAR if name.endswith("__year") else LONGEST_NUMBER)


def _declared(admin: Any, request: HttpRequest | None) -> Iterator[str]:
    filters = admin.get_list_filter(request) if request else admin.list_filter
    for item in filters:
        if isinstance(item, type):
            yield getattr(item, "parameter_name", "") or ""
            continue
        name = item[0] if isinstance(item, tuple | list) else item
        for suffix in _CHOICES:
            yield f"{name}{suffix}"
        field = admin.opts.get_field(name) if "__" not in name else None
        if field is not None and field.is_relation:
            target = field.target_field.name
            yield from (f"{name}__{target}{suffix}" for suffix in _CHOICES)
        if field is not None and field.get_internal_type() in {"DateField", "DateTimeField"}:
            yield from (f"{name}{suffix}" for suffix in _DATES)
    if admin.date_hierarchy:
        yield from (f"{admin.date_hierarchy}{suffix}" for suffix in _DATES)
