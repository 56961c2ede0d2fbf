"""One thing that happened to somebody and may begin a message of a campaign."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.trigger import TriggerState
from campaigns.models.campaign import Campaign
from campaigns.models.dispatch import Dispatch
from customers.models import Customer
from loancrm.kernel.words.titles import numbered


class CampaignTrigger(models.Model):
    """A trigger as it came: each event, and each reference of a caller, once a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="triggers")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    # No key of the database: the log of events is the lower app's, and grows without end.
    event_id = models.BigIntegerField(null=True, editable=False)
    # Of a call: who called and what they call it; empty of an event.
    reference = models.CharField(max_length=100, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    due_at = models.DateTimeField(_("due at"))
    state = models.CharField(_("state"), max_length=10, default=TriggerState.WAITING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    dispatch = models.ForeignKey(Dispatch, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = _("campaign trigger")
        verbose_name_plural = _("campaign triggers")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "event_id"],
                condition=Q(event_id__isnull=False),
                name="trigger_once_an_event",
            ),
            models.UniqueConstraint(
                fields=["campaign", "reference"],
                condition=~Q(reference=""),
                name="trigger_once_a_reference",
            ),
        ]
        indexes = [
            models.Index(
                fields=["campaign", "due_at"],
                condition=Q(state=TriggerState.WAITING),
                name="trigger_waiting",
            )
        ]

    def __str__(self) -> str:
        return numbered(self)
