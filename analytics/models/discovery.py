"""Models that found segments, kept as plain JSON so that they can be used and checked again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from loancrm.kernel.models import Work


class DiscoveryModel(models.Model):
    """One version of a clustering or look-alike model; never changed once written."""

    method = models.CharField(_("method"), max_length=12)
    name = models.SlugField(_("name"), max_length=80)
    version = models.CharField(_("version"), max_length=40)
    content = models.TextField(_("content"))
    digest = models.CharField(_("digest"), max_length=64)
    as_of = models.DateTimeField(_("as of"))
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("discovery model")
        verbose_name_plural = _("discovery models")
        constraints = [
            models.UniqueConstraint(
                fields=["method", "name", "version"], name="discovery_model_unique"
            )
        ]
        indexes = [
            models.Index(fields=["method", "name", "created_at"], name="discovery_model_latest")
        ]

    def __str__(self) -> str:
        return f"DiscoveryModel {self.name} {self.version}"


class DiscoveryRun(models.Model):
    """One search for segments that somebody started: with which choices, and what it found.

    Attributes:
        parameters: As `analytics.domain.discovery_choices` writes them.
        result: What the page shows; empty until it is done.
    """

    work = models.OneToOneField(Work, on_delete=models.CASCADE, related_name="+")
    method = models.CharField(_("method"), max_length=12)
    parameters = models.JSONField(_("choices"))
    result = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("discovery")
        verbose_name_plural = _("discoveries")

    def __str__(self) -> str:
        return f"DiscoveryRun {self.pk} {self.method}"
