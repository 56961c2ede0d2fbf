"""Leave to look at a protected attribute, with who gave it, why and until when."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words.titles import numbered


class ProtectedOverride(models.Model):
    """One leave to group people by a protected attribute; ended, never changed or deleted.

    Attributes:
        feature: A name that searches for segments know, such as `gender` or `attribute.faith`.
    """

    feature = models.CharField(
        _("protected attribute"),
        max_length=80,
        help_text=_("Searches for groups of similar customers may look at it. Look-alikes never."),
    )
    reason = models.TextField(
        _("reason"),
        max_length=1000,
        help_text=_("Why it is lawful and needed, and who agreed; kept for good."),
    )
    valid_until = models.DateField(_("last day"))
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("recorded by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    recorded_at = models.DateTimeField(_("recorded at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("leave for a protected attribute")
        verbose_name_plural = _("leaves for protected attributes")

    def __str__(self) -> str:
        return numbered(self)
