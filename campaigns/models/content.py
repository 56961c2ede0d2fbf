"""What is sent where: a touchpoint, its variants and their texts."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.channel import Channel
from loancrm.kernel.words.titles import numbered


class Touchpoint(models.Model):
    """A message as people get it: through one channel, in variants, in languages.

    A campaign's step has one, and so has a node that sends. What of it was approved stands here,
    digest by digest, so that a worker sees a later change without knowing whose message it is.
    """

    channel = models.ForeignKey(Channel, null=True, on_delete=models.PROTECT, related_name="+")
    approved_parts = models.JSONField(default=dict, editable=False)

    class Meta:
        verbose_name = _("touchpoint")
        verbose_name_plural = _("touchpoints")

    def __str__(self) -> str:
        return numbered(self)


class Variant(models.Model):
    """One arm of a touchpoint's content test."""

    touchpoint = models.ForeignKey(Touchpoint, on_delete=models.CASCADE, related_name="variants")
    key = models.CharField(_("variant"), max_length=10)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    # It has no text of its own and goes along with every edit of the message's.
    follows_message = models.BooleanField(_("same text as the message"), default=False)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        constraints = [models.UniqueConstraint(fields=["touchpoint", "key"], name="variant_unique")]

    def __str__(self) -> str:
        return f"Variant {self.touchpoint_id}/{self.key}"


class ContentVersion(models.Model):
    """The text of one variant in one language; `is_current` marks the one in use."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="contents")
    locale = models.CharField(_("language"), max_length=10)
    number = models.PositiveIntegerField(_("version"), default=1)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    digest = models.CharField(max_length=64)
    is_current = models.BooleanField(default=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("content")
        verbose_name_plural = _("contents")
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "locale", "number"], name="content_version_unique"
            ),
            models.UniqueConstraint(
                fields=["variant", "locale"],
                condition=Q(is_current=True),
                name="content_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"ContentVersion {self.variant_id}/{self.locale}/{self.number}"
