"""Partners, the leads they brought, and the keys that make their calls safe to repeat."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermission, UserObjectPermission

from campaigns.domain.partners.contract import LeadStanding, source_of
from campaigns.models.campaign import Campaign
from customers.models import Customer, DataSource, Segment
from loancrm.kernel.words.titles import numbered


class Partner(models.Model):
    """A company that brings leads and reads what is shared with it.

    Its clients (OAuth applications, one or, while a secret is rotated, two) belong to `user`, a
    service user without a password; objects are shared with that user. What was agreed, until when
    and for what, stands with its data source.
    """

    public_id = models.UUIDField(_("public id"), default=uuid4, unique=True, editable=False)
    slug = models.SlugField(_("slug"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    is_active = models.BooleanField(_("active"), default=True)
    scopes = models.JSONField(_("scopes"), default=list)
    requests_per_minute = models.PositiveIntegerField(_("requests a minute"), null=True, blank=True)
    data_source = models.OneToOneField(
        DataSource, on_delete=models.PROTECT, related_name="+", verbose_name=_("contract")
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")

    def __str__(self) -> str:
        return self.slug

    @property
    def source(self) -> str:
        """Return the source name of everything this partner hands in."""
        return source_of(self.slug)


class PartnerLead(models.Model):
    """One person as one partner brought them. Another partner's row about them is never shown."""

    public_id = models.UUIDField(_("public id"), default=uuid4, unique=True, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="leads")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    reference = models.CharField(_("partner's reference"), max_length=64)
    standing = models.CharField(_("standing"), max_length=10)
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("partner lead")
        verbose_name_plural = _("partner leads")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "reference"], name="partner_lead_reference_unique"
            ),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(standing=LeadStanding.ATTRIBUTED),
                name="partner_lead_one_attribution",
            ),
        ]
        indexes = [models.Index(fields=["customer", "partner"], name="partner_lead_customer")]

    def __str__(self) -> str:
        return numbered(self)


class IdempotencyKey(models.Model):
    """One call of a partner under its key: running until `lease_until`, or done with its reply."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.CharField(max_length=64)
    is_done = models.BooleanField(_("done"), default=False)
    lease_until = models.DateTimeField()
    reply_status = models.PositiveSmallIntegerField(null=True)
    reply_body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [
            models.UniqueConstraint(fields=["partner", "key"], name="idempotency_key_unique")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_created")]

    def __str__(self) -> str:
        return f"IdempotencyKey {self.pk}"


@receiver(post_delete, sender=Campaign)
@receiver(post_delete, sender=Segment)
def forget_shares(sender: type[models.Model], instance: models.Model, **_kwargs: Any) -> None:
    """Remove the permissions on a deleted object: a later one with its id starts unshared."""
    on_object = {
        "content_type": ContentType.objects.get_for_model(sender),
        "object_pk": str(instance.pk),
    }
    UserObjectPermission.objects.filter(**on_object).delete()
    GroupObjectPermission.objects.filter(**on_object).delete()
