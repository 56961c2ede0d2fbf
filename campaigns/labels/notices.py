"""How notices are read."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.notices.kinds import NoticeKind
from loancrm.kernel.words.vocabulary import Term, Vocabulary

NOTICE_KINDS = Vocabulary(
    NoticeKind,
    {
        NoticeKind.APPROVAL_WAITS: Term(_("An approval waits for you"), tone="warn"),
        NoticeKind.REFUSED: Term(_("Your campaign was sent back"), tone="bad"),
        NoticeKind.HELD: Term(_("Your campaign is held"), tone="bad"),
        NoticeKind.WINNER_ASKED: Term(_("A test of your texts waits for you"), tone="warn"),
        NoticeKind.ENDED: Term(_("Your campaign has ended"), tone="good"),
        NoticeKind.CANCELLED: Term(_("Your campaign was cancelled"), tone="warn"),
    },
)
NOTICE_TEXTS = Vocabulary(
    NoticeKind,
    {
        NoticeKind.APPROVAL_WAITS: _("The campaign “%(name)s” waits for your approval."),
        NoticeKind.REFUSED: _("The campaign “%(name)s” was sent back to you."),
        NoticeKind.HELD: _("The campaign “%(name)s” waits for a person: %(reason)s."),
        NoticeKind.WINNER_ASKED: _(
            "The campaign “%(name)s” waits for a person to choose its text."
        ),
        NoticeKind.ENDED: _("The campaign “%(name)s” has ended."),
        NoticeKind.CANCELLED: _("The campaign “%(name)s” was cancelled."),
    },
)
