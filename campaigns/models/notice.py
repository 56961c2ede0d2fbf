"""What people are told of in the admin and by e-mail, and what they want to be mailed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Campaign
from loancrm.kernel.words.titles import numbered


class Notice(models.Model):
    """One thing that one person is told of, once.

    Attributes:
        kind: One of `NoticeKind`.
        thing: What happened, so that it is told once: the row behind it, by kind and key.
        reason: The code of why something is held; empty otherwise.
        comment: What somebody wrote for the reader, such as why a campaign was sent back.
        mail_state: One of `MailState`.
        mail_after: When a mail that was not taken is tried again, by the database's clock.
    """

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    thing = models.CharField(max_length=60)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=60, blank=True)
    comment = models.TextField(blank=True)
    at = models.DateTimeField(_("at"))
    read_at = models.DateTimeField(null=True)
    mail_state = models.CharField(max_length=10)
    mail_failures = models.PositiveSmallIntegerField(default=0)
    mail_after = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [models.UniqueConstraint(fields=["reader", "thing"], name="notice_once")]
        indexes = [
            models.Index(
                fields=["reader"], condition=Q(read_at__isnull=True), name="notice_unread"
            ),
            models.Index(
                fields=["mail_after"], condition=Q(mail_state="due"), name="notice_mail_due"
            ),
        ]

    def __str__(self) -> str:
        return numbered(self)


class NoticeChoice(models.Model):
    """Whether a person is mailed about a kind; without a row she is."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    is_mailed = models.BooleanField()

    class Meta:
        verbose_name = _("choice of notices")
        verbose_name_plural = _("choices of notices")
        constraints = [
            models.UniqueConstraint(fields=["reader", "kind"], name="notice_choice_once")
        ]

    def __str__(self) -> str:
        return numbered(self)
