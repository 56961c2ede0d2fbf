"""Money that messages may cost."""

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
