"""Which record of which source belongs to which customer, and what is to be merged."""

from enum import StrEnum

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from loancrm.kernel.words.phrases import PhraseField
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


class MergeState(StrEnum):
    """What became of a proposal to merge two customers."""

    PROPOSED = "proposed"
    MERGED = "merged"
    REFUSED = "refused"


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


class SearchState(StrEnum):
    """How far a search for duplicates has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class DuplicateSearch(models.Model):
    """A search for duplicates in the background: who asked, how far it is, what it found.

    `heard_at` is when its worker was last heard of.
    """

    limit = models.PositiveIntegerField(_("customers at most"))
    state = models.CharField(_("state"), max_length=10, default=SearchState.QUEUED)
    step = models.CharField(_("step"), max_length=10, blank=True)
    done_count = models.BigIntegerField(_("done in this step"), default=0)
    total_count = models.BigIntegerField(_("to do in this step"), default=0)
    compared_count = models.BigIntegerField(_("customers compared"), default=0)
    proposed_count = models.BigIntegerField(_("pairs proposed"), default=0)
    problem = PhraseField(_("problem"), blank=True)
    actor_label = models.CharField(_("actor"), max_length=150)
    created_at = models.DateTimeField(_("created at"))
    heard_at = models.DateTimeField()
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("search for duplicates")
        verbose_name_plural = _("searches for duplicates")
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(state__in=[SearchState.QUEUED.value, SearchState.RUNNING.value]),
                name="duplicate_search_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return numbered(self)
