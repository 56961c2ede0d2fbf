"""Where data comes from: own forms, branches, questionnaires, partners and vendors."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.domain.consents.consent import Purpose
from customers.domain.sources import SourceKind, SourceTerms


def every_purpose() -> list[Any]:
    """Return all purposes: what is agreed for a source unless somebody narrows it."""
    return [purpose.value for purpose in Purpose]


class DataSource(models.Model):
    """One place data comes from, with what was agreed about it.

    `name` is the `source` that customers, contact points, consents, events and batches carry.
    """

    name = models.CharField(
        _("name"),
        max_length=60,
        unique=True,
        help_text=_(
            "As imports and records name it, such as <code>core</code> or "
            "<code>partner:acme</code>."
        ),
    )
    title = models.CharField(_("title"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=14, default=SourceKind.OWN_SYSTEM)
    contract = models.CharField(
        _("contract reference"),
        max_length=120,
        blank=True,
        help_text=_("Number or file of the agreement; needed for vendors."),
    )
    purposes = models.JSONField(_("agreed purposes"), default=every_purpose)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(
        _("valid until"),
        null=True,
        blank=True,
        help_text=_("Last day. Afterwards nothing comes in, and marketing with its data stops."),
    )
    contact = models.CharField(
        _("contact person"),
        max_length=200,
        blank=True,
        help_text=_("Whom to ask about this source."),
    )
    quality_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("answers for quality"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Who takes care when files of this source get worse."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("data source")
        verbose_name_plural = _("data sources")

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def terms(self) -> SourceTerms:
        """Return what was agreed, as values."""
        return SourceTerms(
            kind=SourceKind(self.kind),
            purposes=frozenset(Purpose(name) for name in self.purposes),
            is_active=self.is_active,
            contract=self.contract,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
        )
