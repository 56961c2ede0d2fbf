"""Message templates, and the requests of the lender's own systems that send them."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.domain.compliance.offers import ProductKind
from campaigns.domain.requests.call import RequestPriority
from campaigns.domain.requests.template import TemplateStatus
from campaigns.models.channel import Channel
from campaigns.models.content import Touchpoint
from campaigns.models.dispatch import Dispatch, Message
from campaigns.models.partner import Partner
from customers.domain.consents.consent import Purpose
from loancrm.kernel.words.titles import numbered


class MessageTemplate(models.Model):
    """A text that the lender's own systems send by its slug, approved by a second person."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    touchpoint = models.OneToOneField(
        Touchpoint, on_delete=models.PROTECT, related_name="template", editable=False
    )
    purpose = models.CharField(_("purpose"), max_length=12, default=Purpose.SERVICE)
    service_kind = models.CharField(_("kind of service message"), max_length=20, blank=True)
    # An offer of credit, or a service: no offer ever goes under a consent for services.
    product_kind = models.CharField(
        _("what it is about"), max_length=12, default=ProductKind.SERVICE
    )
    # Names that every message's own values are given for.
    variables = models.JSONField(_("variables"), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    status = models.CharField(_("status"), max_length=10, default=TemplateStatus.DRAFT)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Of everything that the approval covers; empty while nothing is approved.
    approved_digest = models.CharField(max_length=64, blank=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved at"), null=True)
    # The number of the last edit that the newest approval covers.
    approved_edit_number = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose=Purpose.MARKETING) | ~Q(product_kind=ProductKind.CREDIT_OFFER),
                name="template_offer_is_marketing",
            )
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def channel(self) -> Channel | None:
        """Return the channel of its touchpoint."""
        return self.touchpoint.channel


class TemplateEdit(models.Model):
    """Who changed a template and when; nobody approves what they have changed themselves."""

    template = models.ForeignKey(MessageTemplate, on_delete=models.CASCADE, related_name="edits")
    editor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("template edit")
        verbose_name_plural = _("template edits")

    def __str__(self) -> str:
        return numbered(self)


class MessageRequest(models.Model):
    """One call for messages: whose it was, what it asked for, and the dispatch it became."""

    public_id = models.UUIDField(_("public id"), default=uuid4, unique=True, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="message_requests")
    template = models.ForeignKey(MessageTemplate, on_delete=models.PROTECT, related_name="requests")
    dispatch = models.OneToOneField(Dispatch, on_delete=models.CASCADE, related_name="request")
    priority = models.CharField(_("priority"), max_length=10, default=RequestPriority.NORMAL)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("message request")
        verbose_name_plural = _("message requests")

    def __str__(self) -> str:
        return numbered(self)


class RequestedMessage(models.Model):
    """A message of a request as its caller knows it."""

    public_id = models.UUIDField(_("public id"), default=uuid4, unique=True, editable=False)
    request = models.ForeignKey(MessageRequest, on_delete=models.CASCADE, related_name="messages")
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    reference = models.CharField(_("partner's reference"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("requested message")
        verbose_name_plural = _("requested messages")

    def __str__(self) -> str:
        return numbered(self)
