"""Mappings that people have built: every version stays, one of them is in use."""

import json
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SavedMapping(models.Model):
    """One version of how a supplier's columns become fields; versions are never changed."""

    name = models.SlugField(_("name"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    source = models.CharField(_("source"), max_length=60)
    # Text, because a binary JSON column forgets the order of the columns, which decides whose
    # number becomes the primary one.
    definition_text = models.TextField(_("definition"))
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    is_current = models.BooleanField(_("in use"), default=True)
    author_label = models.CharField(_("author"), max_length=150)
    created_at = models.DateTimeField(_("created at"))
    # Of all versions of a name at once; imports that used it still name it.
    archived_at = models.DateTimeField(_("archived at"), null=True)

    class Meta:
        verbose_name = _("mapping")
        verbose_name_plural = _("mappings")
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="saved_mapping_version"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(is_current=True), name="saved_mapping_current"
            ),
        ]

    @property
    def definition(self) -> dict[str, Any]:
        """Return the JSON of the mapping, in the order in which it was written."""
        content: dict[str, Any] = json.loads(self.definition_text)
        return content

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
