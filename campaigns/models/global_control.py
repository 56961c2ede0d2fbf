"""How many people get no marketing at all, for comparison."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.domain.experiments.global_control import LARGEST_SHARE, PeriodLength
from loancrm.kernel.words.titles import numbered


class GlobalControlChoice(models.Model):
    """A share of all people and the length of its periods, from a day on; never changed.

    Who is in a period's group is computed from the salt, not stored.
    """

    share = models.DecimalField(_("share"), max_digits=4, decimal_places=3)
    period_length = models.CharField(
        _("new group every"), max_length=10, default=PeriodLength.QUARTER
    )
    valid_from = models.DateField(_("from"))
    salt = models.UUIDField(editable=False)
    reason = models.TextField(
        _("reason"), max_length=1000, help_text=_("Why, and who agreed; kept for good.")
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("recorded by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("global control group")
        verbose_name_plural = _("global control group")
        constraints = [
            models.CheckConstraint(
                condition=Q(share__gte=0, share__lte=LARGEST_SHARE),
                name="global_control_fifth_at_most",
            )
        ]

    def __str__(self) -> str:
        return numbered(self)
