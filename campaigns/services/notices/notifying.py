"""Tell people what concerns them: once in the admin, and by e-mail where they want it."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.notices.kinds import MailState, NoticeKind
from campaigns.models import Notice, NoticeChoice
from campaigns.selectors.notices import happenings
from campaigns.selectors.notices.happenings import Happening
from campaigns.services.notices import wording
from loancrm.kernel.database import leases
from loancrm.kernel.database.shared_clock import Moment

logger = logging.getLogger(__name__)
LEASE = "campaigns.notify_people"
# Longer than a mail server may take, so that two workers do not tell at once.
LEASE_SECONDS = 300
MOST_MAILS = 50
MOST_LINES = 20
# A mail that is not taken is tried again after five minutes, ten, twenty, …, and given up then.
RETRY_SECONDS = 300
MOST_FAILURES = 7
# Of these it is looked up each time whether somebody is still waited for.
_WAITING = (NoticeKind.HELD, NoticeKind.WINNER_ASKED)
_MAY_GO_ON = (
    Q(thing__startswith="held:") | Q(thing__startswith="held-run:") | Q(thing__startswith="winner:")
)


def notify_people(*, holder: str, now: datetime) -> int:
    """Note what people are to know and mail it; one worker at a time, safe to run again.

    What was mailed is noted after the mail was taken: a worker that dies between the two lets it be
    mailed twice, never not at all. Never called in a transaction.

    Returns:
        How many notices are new.
    """
    if not leases.claim(name=LEASE, holder=holder, seconds=LEASE_SECONDS):
        return 0
    try:
        count = note(happenings.found(now=now), now=now)
        _mail_all()
        return count
    finally:
        leases.release(name=LEASE, holder=holder)


def note(found: Sequence[Happening], *, now: datetime) -> int:
    """Note what nobody noted yet; what is over need not be read. Return how many are new."""
    _close(found, now=now)
    known = set(
        Notice.objects.filter(thing__in={one.thing for one in found}).values_list(
            "reader_id", "thing"
        )
    )
    fresh = [one for one in found if (one.reader_id, one.thing) not in known]
    unwanted = set(
        NoticeChoice.objects.filter(
            reader__in={one.reader_id for one in fresh}, is_mailed=False
        ).values_list("reader_id", "kind")
    )
    Notice.objects.bulk_create(
        [
            Notice(
                reader_id=one.reader_id,
                kind=one.kind,
                thing=one.thing,
                campaign_id=one.campaign_id,
                reason=one.reason,
                comment=one.comment,
                at=one.at,
                mail_state=MailState.UNWANTED
                if one.is_mailed_elsewhere or (one.reader_id, one.kind) in unwanted
                else MailState.DUE,
            )
            for one in fresh
        ],
        # Somebody else may have noted it meanwhile.
        ignore_conflicts=True,
    )
    return len(fresh)


def _close(found: Sequence[Happening], *, now: datetime) -> None:
    """Take what waits for nobody any more from those who have not read it, and from the mail.

    What was held and goes on is told anew when it is held again.
    """
    decided = Notice.objects.filter(kind=NoticeKind.APPROVAL_WAITS).exclude(
        campaign__status=CampaignStatus.IN_REVIEW
    )
    waits = {one.thing for one in found if one.kind in _WAITING}
    goes_on = Notice.objects.filter(_MAY_GO_ON).exclude(thing__in=waits)
    keys = list(goes_on.values_list("pk", flat=True))
    for rows in (decided, Notice.objects.filter(pk__in=keys)):
        rows.filter(read_at=None).update(read_at=now)
        rows.filter(mail_state=MailState.DUE).update(mail_state=MailState.UNWANTED)
    Notice.objects.filter(pk__in=keys).update(
        thing=Concat(Value("past:"), Cast(F("pk"), CharField()))
    )


def _mail_all() -> None:
    is_due = Q(mail_after=None) | Q(mail_after__lte=Moment())
    rows = Notice.objects.filter(is_due, mail_state=MailState.DUE, reader__is_active=True)
    by_reader: dict[User, list[Notice]] = defaultdict(list)
    for row in rows.exclude(reader__email="").select_related("reader", "campaign").order_by("pk"):
        by_reader[row.reader].append(row)
    for reader, own in list(by_reader.items())[:MOST_MAILS]:
        if _write(reader, own):
            Notice.objects.filter(pk__in=[row.pk for row in own]).update(mail_state=MailState.SENT)
        else:
            _put_off(own)


def _put_off(rows: Sequence[Notice]) -> None:
    for row in rows:
        failures = row.mail_failures + 1
        Notice.objects.filter(pk=row.pk).update(
            mail_failures=failures,
            mail_after=Moment(RETRY_SECONDS * 2 ** (failures - 1)),
            mail_state=MailState.GIVEN_UP if failures >= MOST_FAILURES else MailState.DUE,
        )


def _write(reader: User, rows: Sequence[Notice]) -> bool:
    with translation.override(settings.LANGUAGE_CODE):
        first = wording.sentence(rows[0])
        subject = first if len(rows) == 1 else _("%(count)s notices") % {"count": len(rows)}
        lines = [_lines(row) for row in rows[:MOST_LINES]]
        if len(rows) > MOST_LINES:
            lines.append(_("All of them: %(url)s") % {"url": _absolute("admin:campaigns_notices")})
    try:
        # A name may hold a line break, which a header may not.
        send_mail(
            " ".join(subject.split()),
            "\n\n".join(lines),
            settings.DEFAULT_FROM_EMAIL,
            [reader.email],
        )
    except (SMTPException, OSError, UnicodeError) as error:
        # An address may be none that a mail can carry; the server's words may name its login.
        logger.error("person not told", extra={"error": type(error).__name__})  # noqa: TRY400
        return False
    return True


def _lines(row: Notice) -> str:
    parts = [wording.sentence(row), row.comment]
    parts.append(_absolute("admin:campaigns_campaign_change", row.campaign_id))
    return "\n".join(filter(None, parts))


def _absolute(name: str, *args: object) -> str:
    return f"{settings.LOANCRM_PUBLIC_URL}{reverse(name, args=args)}"
