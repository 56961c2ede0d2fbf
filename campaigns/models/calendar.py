"""Days that differ from what the calendar of public holidays says."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CalendarDay(models.Model):
    """A holiday or a make-up day that was announced later than the holidays that come along."""

    day = models.DateField(_("day"), unique=True)
    is_workday = models.BooleanField(_("people work"), default=False)
    name = models.CharField(_("name"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("calendar day")
        verbose_name_plural = _("calendar days")

    def __str__(self) -> str:
        return self.name or f"{self.day}"
