"""How often a person may be contacted."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words.titles import numbered


class FrequencyRule(models.Model):
    """At most `max_count` marketing messages in `window_hours`; an empty channel counts all."""

    channel = models.CharField(_("channel"), max_length=10, blank=True)
    window_hours = models.PositiveIntegerField(
        _("window in hours"), validators=[MinValueValidator(1)]
    )
    max_count = models.PositiveSmallIntegerField(
        _("most messages"), validators=[MinValueValidator(1)]
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("frequency rule")
        verbose_name_plural = _("frequency rules")

    def __str__(self) -> str:
        return numbered(self)
