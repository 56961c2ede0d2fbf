"""Money that messages may cost, and how many may go out."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words.titles import numbered


class Budget(models.Model):
    """A limit and what of it is spent or reserved; everything that names it spends from it."""

    limit_amount = models.DecimalField(_("limit"), max_digits=14, decimal_places=2)
    committed_amount = models.DecimalField(
        _("spent or reserved"), max_digits=14, decimal_places=4, default=0, editable=False
    )

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")

    def __str__(self) -> str:
        return numbered(self)


class VolumeCap(models.Model):
    """At most so many messages, in all or a day; every dispatch that names it counts."""

    period = models.CharField(_("period"), max_length=8)
    most = models.PositiveIntegerField(_("most messages"))

    class Meta:
        verbose_name = _("volume cap")
        verbose_name_plural = _("volume caps")

    def __str__(self) -> str:
        return numbered(self)


class VolumeUse(models.Model):
    """How many messages of one period are sent or reserved under a cap."""

    cap = models.ForeignKey(VolumeCap, on_delete=models.CASCADE, related_name="uses")
    day = models.DateField()
    committed = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("use of a volume cap")
        verbose_name_plural = _("uses of volume caps")
        constraints = [models.UniqueConstraint(fields=["cap", "day"], name="volume_use_once")]

    def __str__(self) -> str:
        return numbered(self)
