"""Credit policies, what they decided about applications, and what people made of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from analytics.domain.credit.policy import DecisionOutcome
from analytics.domain.credit.reviewing import PolicyState
from customers.models import Application, Customer
from loancrm.kernel.words.titles import numbered


class PolicyVersion(models.Model):
    """One version of the credit policy; its content is never changed.

    Attributes:
        content: What `parse_policy` reads; `digest` is the SHA-256 of its canonical JSON.
        replaces: The version that was in force when this one came.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    content = models.JSONField(_("content"))
    digest = models.CharField(_("digest"), max_length=64)
    state = models.CharField(_("state"), max_length=12, default=PolicyState.PROPOSED)
    reason = models.TextField(_("reason"), max_length=1000)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("proposed by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    proposed_at = models.DateTimeField(_("proposed at"))
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("approved by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    approved_at = models.DateTimeField(_("approved at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    replaces = models.ForeignKey(
        "self",
        verbose_name=_("replaces"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        verbose_name = _("version of the credit policy")
        verbose_name_plural = _("versions of the credit policy")
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state=PolicyState.ACTIVE),
                name="policy_version_one_active",
            )
        ]

    def __str__(self) -> str:
        return numbered(self)


class CreditDecision(models.Model):
    """What a policy decided about an application, with the facts that it saw.

    Attributes:
        reasons: Codes of `DecisionReason` by weight; at least one unless approved.
        facts: What the policy saw, as numbers by name.
        score_version, scored_at: Which version of the policy's score gave the risk, and when.
        outcome: What the policy decided; `final_outcome` what holds, once a person has looked
            where one must.
        band, annual_rate, limit_amount: The terms that the policy gave; `final_band`, `final_rate`
            and `final_limit_amount` those that hold, wherever credit is granted.
    """

    application = models.OneToOneField(
        Application, verbose_name=_("application"), on_delete=models.CASCADE, related_name="+"
    )
    customer = models.ForeignKey(
        Customer, verbose_name=_("customer"), on_delete=models.CASCADE, related_name="+"
    )
    policy = models.ForeignKey(
        PolicyVersion, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField(_("outcome of the policy"), max_length=10)
    final_outcome = models.CharField(_("outcome"), max_length=10, blank=True)
    reasons = models.JSONField(_("reasons"), default=list)
    facts = models.JSONField(_("facts"), default=dict)
    risk = models.DecimalField(_("chance of default"), max_digits=8, decimal_places=6, null=True)
    band = models.CharField(_("band"), max_length=20, blank=True)
    annual_rate = models.DecimalField(_("annual rate"), max_digits=8, decimal_places=6, null=True)
    limit_amount = models.DecimalField(_("limit"), max_digits=14, decimal_places=2, null=True)
    score_version = models.CharField(_("version of the score"), max_length=40, blank=True)
    scored_at = models.DateTimeField(_("scored at"), null=True)
    final_band = models.CharField(_("granted band"), max_length=20, blank=True)
    final_rate = models.DecimalField(
        _("granted annual rate"), max_digits=8, decimal_places=6, null=True
    )
    final_limit_amount = models.DecimalField(
        _("granted limit"), max_digits=14, decimal_places=2, null=True
    )
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("credit decision")
        verbose_name_plural = _("credit decisions")
        constraints = [
            # Whatever is granted says how much and at what price, and nothing else does.
            models.CheckConstraint(
                condition=models.Q(
                    final_outcome=DecisionOutcome.APPROVED,
                    final_band__gt="",
                    final_rate__isnull=False,
                    final_limit_amount__gt=0,
                )
                | ~models.Q(final_outcome=DecisionOutcome.APPROVED)
                & models.Q(final_band="", final_rate=None, final_limit_amount=None),
                name="credit_decision_granted_terms",
            )
        ]
        indexes = [
            models.Index(fields=["final_outcome", "decided_at"], name="credit_decision_list")
        ]

    def __str__(self) -> str:
        return numbered(self)


class DecisionReview(models.Model):
    """A person's look at a decision: because the policy asks for one, or because the customer does.

    Attributes:
        kind: One of `ReviewKind`.
        request: What the customer asked for, as it was noted; empty where the policy asks.
        outcome: What the person decided; empty while the review is open.
        band, annual_rate, limit_amount: The terms that the person granted.
    """

    decision = models.ForeignKey(
        CreditDecision, verbose_name=_("decision"), on_delete=models.CASCADE, related_name="reviews"
    )
    customer = models.ForeignKey(
        Customer, verbose_name=_("customer"), on_delete=models.CASCADE, related_name="+"
    )
    kind = models.CharField(_("why a person looks"), max_length=10)
    request = models.TextField(_("what the customer asks for"), max_length=1000, blank=True)
    requested_at = models.DateTimeField(_("asked at"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("noted by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    outcome = models.CharField(_("outcome"), max_length=10, blank=True)
    band = models.CharField(_("band"), max_length=20, blank=True)
    annual_rate = models.DecimalField(_("annual rate"), max_digits=8, decimal_places=6, null=True)
    limit_amount = models.DecimalField(_("limit"), max_digits=14, decimal_places=2, null=True)
    reason = models.TextField(_("reason"), max_length=1000, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reviewed by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True)

    class Meta:
        verbose_name = _("review of a decision")
        verbose_name_plural = _("reviews of decisions")
        constraints = [
            models.UniqueConstraint(
                fields=["decision"],
                condition=models.Q(reviewed_at=None),
                name="decision_review_one_open",
            )
        ]
        indexes = [
            models.Index(fields=["reviewed_at", "requested_at"], name="decision_review_queue")
        ]

    def __str__(self) -> str:
        return numbered(self)
