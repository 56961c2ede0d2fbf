"""Which record of which source belongs to which customer, and what is to be merged."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.domain.identity.merging import MergeState
from customers.models.customer import Customer
from loancrm.kernel.models import Work
from loancrm.kernel.words.titles import numbered


class IdentityLink(models.Model):
    """A source's own id for a customer; after a merge several ids lead to one person.

    A row without an id of its own is remembered under `#` and its fingerprint, so that the same
    file read again is recognised. `row_digest` is the keyed fingerprint of the row last applied.
    """

    source = models.CharField(_("source"), max_length=60)
    external_id = models.CharField(_("external id"), max_length=100)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="identity_links")
    matched_by = models.CharField(_("matched by"), max_length=20, blank=True)
    row_digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("identity link")
        verbose_name_plural = _("identity links")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="identity_link_unique")
        ]

    def __str__(self) -> str:
        return f"IdentityLink {self.source}:{self.pk}"


class MergeDecision(models.Model):
    """Two customers that seem to be one person, and what a person decided about it."""

    kept = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    matched_by = models.CharField(_("matched by"), max_length=20)
    probability = models.FloatField(_("chance to be one person"), null=True)
    state = models.CharField(_("state"), max_length=10, default=MergeState.PROPOSED)
    batch_id = models.BigIntegerField(_("import batch"), null=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"))
    decided_at = models.DateTimeField(_("decided at"), null=True)

    class Meta:
        verbose_name = _("merge decision")
        verbose_name_plural = _("merge decisions")
        constraints = [
            models.UniqueConstraint(fields=["kept", "other"], name="merge_decision_pair_unique"),
            models.CheckConstraint(condition=~Q(kept=F("other")), name="merge_decision_two"),
        ]

    def __str__(self) -> str:
        return numbered(self)


class DuplicateSearch(models.Model):
    """A search for duplicates in the background: among how many, and what it found."""

    work = models.OneToOneField(Work, on_delete=models.CASCADE, related_name="+")
    limit = models.PositiveIntegerField(_("customers at most"))
    compared_count = models.BigIntegerField(_("customers compared"), default=0)
    proposed_count = models.BigIntegerField(_("pairs proposed"), default=0)
    skipped_count = models.BigIntegerField(_("people gone meanwhile"), default=0)

    class Meta:
        verbose_name = _("search for duplicates")
        verbose_name_plural = _("searches for duplicates")

    def __str__(self) -> str:
        return numbered(self)
