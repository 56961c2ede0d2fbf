"""Filters of the list of campaigns: by what people know about a campaign."""

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from campaigns.models import Campaign, CampaignTag, Channel
from customers.models import Segment
from loancrm.admin_pages import is_key
from loancrm.kernel import clock

_PERIODS = (
    ("7", _("the last 7 days")),
    ("30", _("the last 30 days")),
    ("90", _("the last 90 days")),
)
_COMING = "coming"


class _KeyFilter(DropdownFilter):  # type: ignore[misc] # the theme ships no types
    """A filter by the key of another row."""

    column = ""

    def queryset(self, _request: HttpRequest, rows: QuerySet[Campaign]) -> QuerySet[Campaign]:
        """Return the campaigns of the chosen row; all where the address names none."""
        value = self.value() or ""
        return rows.filter(**{self.column: value}).distinct() if is_key(value) else rows


class CampaignChannelFilter(_KeyFilter):
    """By the channel of any of its messages."""

    title = _("channel")
    parameter_name = "channel"
    column = "steps__touchpoint__channel"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        """Return the channels."""
        return [(str(pk), name) for pk, name in Channel.objects.values_list("pk", "name")]


class OwnerFilter(_KeyFilter):
    """By who wrote it."""

    title = _("owner")
    parameter_name = "owner"
    column = "author"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        """Return those who wrote campaigns."""
        written = Campaign.objects.exclude(author=None).order_by("author__username")
        rows = written.values_list("author_id", "author__username").distinct()
        return [(str(pk), name) for pk, name in rows]


class SegmentFilter(_KeyFilter):
    """By whom it is for."""

    title = _("segment")
    parameter_name = "for"
    column = "segment"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        """Return the segments that campaigns are for."""
        rows = Segment.objects.filter(pk__in=Campaign.objects.values("segment")).order_by("name")
        return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]


class DateFilter(DropdownFilter):  # type: ignore[misc] # the theme ships no types
    """By when it was launched, or is to be."""

    title = _("date")
    parameter_name = "when"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, Any]]:
        """Return the periods."""
        return [(_COMING, _("still to come")), *_PERIODS]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Campaign]) -> QuerySet[Campaign]:
        """Return those launched in the period, or with a date that is still to come."""
        now, value = clock.now(), self.value()
        if value == _COMING:
            return rows.filter(Q(start_at__gt=now) | Q(next_run_at__gt=now))
        if value in dict(_PERIODS):
            return rows.filter(launched_at__gt=now - timedelta(days=int(value)))
        return rows


class _WordFilter(DropdownFilter):  # type: ignore[misc] # the theme ships no types
    """A filter by a word that people gave."""

    column = ""

    def queryset(self, _request: HttpRequest, rows: QuerySet[Campaign]) -> QuerySet[Campaign]:
        """Return the campaigns under the chosen word."""
        return rows.filter(**{self.column: self.value()}) if self.value() else rows


class TagFilter(_WordFilter):
    """By a tag."""

    title = _("tag")
    parameter_name = "tag"
    column = "tags__name"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        """Return the tags in use."""
        found = CampaignTag.objects.order_by("name").values_list("name", flat=True).distinct()
        return [(name, name) for name in found]


class FolderFilter(_WordFilter):
    """By the folder."""

    title = _("folder")
    parameter_name = "folder"
    column = "folder"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        """Return the folders in use."""
        used = Campaign.objects.exclude(folder="").order_by("folder")
        return [(name, name) for name in used.values_list("folder", flat=True).distinct()]


ALL = (CampaignChannelFilter, OwnerFilter, SegmentFilter, DateFilter, TagFilter, FolderFilter)
