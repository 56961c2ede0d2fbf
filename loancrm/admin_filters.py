"""Filters of lists by a closed vocabulary, with labels in the reader's language."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from unfold.contrib.filters.admin import DropdownFilter


def word_filter(
    column: str, heading: str | Promise, label: Callable[[str], str]
) -> type[admin.SimpleListFilter]:
    """Return a drop-down filter on a column whose values are what the table holds."""

    class WordFilter(DropdownFilter):  # type: ignore[misc] # the theme ships no types
        title = heading
        parameter_name = column

        def lookups(self, _request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            found = model_admin.model.objects.order_by(column).values_list(column, flat=True)
            return sorted(((v, label(v)) for v in found.distinct()), key=lambda pair: pair[1])

        def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
            return rows.filter(**{column: self.value()}) if self.value() else rows

    return WordFilter


def vocabulary_filter(
    column: str, heading: str | Promise, values: Iterable[str], label: Callable[[str], str]
) -> type[admin.SimpleListFilter]:
    """Return a drop-down filter on a column that holds one of a few known values."""
    known = tuple(str(value) for value in values)

    class VocabularyFilter(DropdownFilter):  # type: ignore[misc] # the theme ships no types
        title = heading
        parameter_name = column

        def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
            return [(value, label(value)) for value in known]

        def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
            return rows.filter(**{column: self.value()}) if self.value() in known else rows

    return VocabularyFilter
