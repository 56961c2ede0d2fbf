"""Targetings: whom somebody asked to be chosen, and what came of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Segment
from loancrm.kernel.models import Work
from loancrm.kernel.words.titles import numbered


class TargetingRun(models.Model):
    """One targeting that somebody started.

    Attributes:
        spec: As `analytics.domain.targeting.spec_reading` writes it.
        result: What the page shows, counts and sums only; empty until it is done.
        form_token: Of the page that started it; a form that is sent twice starts one.
    """

    work = models.OneToOneField(Work, on_delete=models.CASCADE, related_name="+")
    slug = models.SlugField(_("short name"), max_length=40)
    spec = models.JSONField(_("choices"))
    result = models.JSONField(default=dict)
    form_token = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = _("targeting")
        verbose_name_plural = _("targetings")
        constraints = [models.UniqueConstraint(fields=["form_token"], name="targeting_one_a_form")]

    def __str__(self) -> str:
        return numbered(self)


class TargetingList(models.Model):
    """The list of people of an offer, or of what it gets through one channel.

    It follows the targetings of one short name, and outlives each of them.

    Attributes:
        targeting: Short name of the targetings that it follows.
        offer, channel: Short names; the channel is empty for the list of a whole offer.
        run_id: Key of the targeting that wrote it last, which may be forgotten by now.
        retired_at: When a targeting of the short name first left the offer or channel out.
    """

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, related_name="+")
    targeting = models.SlugField(_("short name"), max_length=40)
    offer = models.CharField(_("offer"), max_length=30)
    channel = models.CharField(_("channel"), max_length=60, blank=True)
    run_id = models.BigIntegerField()
    retired_at = models.DateTimeField(_("retired at"), null=True)

    class Meta:
        verbose_name = _("list of a targeting")
        verbose_name_plural = _("lists of targetings")
        constraints = [
            models.UniqueConstraint(
                fields=["targeting", "offer", "channel"], name="targeting_list_once"
            )
        ]

    def __str__(self) -> str:
        return numbered(self)
