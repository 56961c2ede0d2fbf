"""What providers and recipients reported back."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.channel import Channel
from campaigns.models.dispatch import Dispatch, Message
from customers.models import ContactPoint

# What makes a report the one that it is, apart from the time of a refusal.
_IDENTITY = (
    *("provider_event_id", "kind", "meaning"),
    *("message_key", "provider_message_id", "address_index"),
)


class Receipt(models.Model):
    """One report of a provider, applied once; what a reply means is kept, its words are not.

    The words of one that may be a refusal are kept until somebody has read them: `UnclearReply`.
    """

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    provider_event_id = models.CharField(max_length=120)
    kind = models.CharField(_("kind"), max_length=16)
    provider_message_id = models.CharField(max_length=120, blank=True)
    message_key = models.CharField(max_length=64, blank=True)
    message = models.ForeignKey(
        Message, null=True, on_delete=models.SET_NULL, related_name="receipts"
    )
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    meaning = models.CharField(_("read as"), max_length=10, blank=True)
    is_refusal = models.BooleanField(_("refusal"), default=False)
    address_index = models.CharField(max_length=64, blank=True, editable=False)
    is_applied = models.BooleanField(_("applied"), default=False)
    problem = models.CharField(_("waits because"), max_length=20, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", *_IDENTITY],
                condition=models.Q(is_refusal=False),
                name="receipt_unique",
            ),
            models.UniqueConstraint(
                fields=["channel", *_IDENTITY, "occurred_at"],
                condition=models.Q(is_refusal=True),
                name="receipt_of_refusal_unique",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(next_try_at__isnull=False),
                name="receipt_waiting",
            ),
            models.Index(
                fields=["received_at"], condition=~models.Q(problem=""), name="receipt_problem"
            ),
        ]

    def __str__(self) -> str:
        return self.provider_event_id


class SoftBounce(models.Model):
    """A message that an address could not take at the time; enough of them end its use."""

    contact_point = models.ForeignKey(
        ContactPoint, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField(_("at"))
    code = models.CharField(_("code"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("soft bounce")
        verbose_name_plural = _("soft bounces")
        constraints = [
            models.UniqueConstraint(fields=["message"], name="soft_bounce_once_a_message")
        ]
        indexes = [models.Index(fields=["contact_point", "at"], name="soft_bounce_contact_point")]

    def __str__(self) -> str:
        return f"SoftBounce {self.pk}"


class TrackedLink(models.Model):
    """A target of the links in one dispatch's messages; kept here, never in the link itself."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="links")
    target = models.URLField(_("target"), max_length=1000)

    class Meta:
        verbose_name = _("tracked link")
        verbose_name_plural = _("tracked links")
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "target"], name="tracked_link_unique")
        ]

    def __str__(self) -> str:
        return f"TrackedLink {self.pk}"


class LinkVisit(models.Model):
    """One visit of a tracked link; bots are kept and marked."""

    link = models.ForeignKey(TrackedLink, on_delete=models.CASCADE, related_name="visits")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="visits")
    at = models.DateTimeField(_("at"))
    is_bot = models.BooleanField(_("bot"), default=False)
    # What tells it from a person's visit; one that somebody else marked has none.
    sign = models.CharField(_("known as a machine's by"), max_length=16, blank=True)
    # A keyed fingerprint of where it came from.
    address_index = models.CharField(max_length=32, blank=True, editable=False)
    is_published = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = _("link visit")
        verbose_name_plural = _("link visits")
        indexes = [
            models.Index(fields=["message", "is_bot"], name="link_visit_message"),
            models.Index(
                fields=["at"], condition=models.Q(is_published=False), name="link_visit_unpublished"
            ),
            models.Index(
                fields=["address_index", "at"],
                condition=~models.Q(address_index=""),
                name="link_visit_address",
            ),
        ]

    def __str__(self) -> str:
        return f"LinkVisit {self.pk}"
