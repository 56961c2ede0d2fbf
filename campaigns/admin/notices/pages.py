"""The reader's own notices: the page behind the bell."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.domain.notices.kinds import NoticeKind
from campaigns.labels.notices import NOTICE_KINDS
from campaigns.selectors.notices import reading
from campaigns.services.notices import own, wording
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock


def index(request: HttpRequest) -> HttpResponse:
    """Show what the reader was told, and what she wants to be mailed."""
    reader = _reader(request)
    return admin_pages.page(
        request,
        "campaigns/notices.html",
        title=_("Notifications"),
        rows=[
            {
                "notice": row,
                "text": wording.sentence(row),
                "kind": NOTICE_KINDS.label(row.kind),
                "tone": NOTICE_KINDS.tone(row.kind),
                "url": object_url(row.campaign),
            }
            for row in reading.notices_of(reader)
        ],
        choices=[
            (kind.value, NOTICE_KINDS.label(kind), is_mailed)
            for kind, is_mailed in reading.choices_of(reader).items()
        ],
        has_address=bool(reader.email),
    )


@require_POST
def mark(request: HttpRequest) -> HttpResponse:
    """Mark one notice, or all, as read."""
    reader, named = _reader(request), request.POST.get("notice", "")
    if not named:
        own.mark_read(reader=reader, now=clock.now())
    elif admin_pages.is_key(named):
        own.mark_read(reader=reader, now=clock.now(), notice_id=int(named))
    return HttpResponseRedirect(reverse("admin:campaigns_notices"))


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep about what the reader is mailed."""
    wanted = set(request.POST.getlist("mail"))
    with admin_pages.attempt(request, _("Your choice is saved.")):
        own.choose_mails(
            reader=_reader(request), choices={kind: kind.value in wanted for kind in NoticeKind}
        )
    return HttpResponseRedirect(reverse("admin:campaigns_notices"))


def unread(request: HttpRequest) -> int:
    """Return the number at the bell."""
    user = admin_pages.actor_of(request).user
    return 0 if user is None else reading.unread_count(user)


def _reader(request: HttpRequest) -> User:
    user = admin_pages.actor_of(request).user
    if user is None:
        raise PermissionDenied
    return user
