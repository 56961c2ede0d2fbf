"""What one person was told, and what she wants to be mailed."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User

from campaigns.domain.notices.kinds import NoticeKind
from campaigns.models import Notice, NoticeChoice

MOST_SHOWN = 100


def unread_count(reader: User) -> int:
    """Return how much she has not read (one query)."""
    return Notice.objects.filter(reader=reader, read_at=None).count()


def notices_of(reader: User) -> Sequence[Notice]:
    """Return what she was told, the newest first (one query)."""
    rows = Notice.objects.filter(reader=reader).select_related("campaign")
    return list(rows.order_by("-at", "-pk")[:MOST_SHOWN])


def choices_of(reader: User) -> Mapping[NoticeKind, bool]:
    """Return of each kind whether she is mailed about it (one query)."""
    chosen = dict(NoticeChoice.objects.filter(reader=reader).values_list("kind", "is_mailed"))
    return {kind: chosen.get(kind.value, True) for kind in NoticeKind}
