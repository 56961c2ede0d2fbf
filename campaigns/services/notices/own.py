"""What a person does with what she was told: nobody else's notices are touched."""

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from campaigns.domain.notices.kinds import MailState, NoticeKind
from campaigns.models import Notice, NoticeChoice


def mark_read(*, reader: User, now: datetime, notice_id: int | None = None) -> int:
    """Mark one notice of hers as read, or all; return how many were not."""
    rows = Notice.objects.filter(reader=reader, read_at=None)
    if notice_id is not None:
        rows = rows.filter(pk=notice_id)
    return rows.update(read_at=now)


@transaction.atomic
def choose_mails(*, reader: User, choices: Mapping[NoticeKind, bool]) -> None:
    """Keep about which kinds she is mailed; what waits to be mailed against it is not."""
    for kind, is_mailed in choices.items():
        NoticeChoice.objects.update_or_create(
            reader=reader, kind=kind, defaults={"is_mailed": is_mailed}
        )
    off = [kind for kind, is_mailed in choices.items() if not is_mailed]
    Notice.objects.filter(reader=reader, kind__in=off, mail_state=MailState.DUE).update(
        mail_state=MailState.UNWANTED
    )
