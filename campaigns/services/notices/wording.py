"""A notice in words."""

from campaigns import labels
from campaigns.labels.notices import NOTICE_TEXTS
from campaigns.models import Notice


def sentence(notice: Notice) -> str:
    """Return what happened, in the reader's language."""
    reason = labels.HOLD_REASONS.label(notice.reason) if notice.reason else ""
    return NOTICE_TEXTS.label(notice.kind) % {"name": notice.campaign.name, "reason": reason}
