"""Graphs of messages, the people in them and the ways they took."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from loancrm.kernel.words.titles import numbered


class MessageGraph(models.Model):
    """A graph that people walk from message to message; it is written once."""

    definition = models.JSONField()
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("message graph")
        verbose_name_plural = _("message graphs")

    def __str__(self) -> str:
        return numbered(self)


class Enrolment(models.Model):
    """One person in one run of a graph, and where she stands."""

    graph = models.ForeignKey(
        MessageGraph, on_delete=models.CASCADE, related_name="enrolments", db_index=False
    )
    run_number = models.PositiveIntegerField(_("run"), default=1)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    node = models.CharField(_("stands at"), max_length=20)
    entered_at = models.DateTimeField(_("since"))
    left_at = models.DateTimeField(_("left at"), null=True)
    leave_reason = models.CharField(_("left because"), max_length=12, blank=True)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [
            models.UniqueConstraint(
                fields=["graph", "run_number", "customer"], name="enrolment_once_a_run"
            )
        ]
        indexes = [
            models.Index(
                fields=["graph", "run_number", "node"],
                condition=Q(left_at__isnull=True),
                name="enrolment_at_node",
            )
        ]

    def __str__(self) -> str:
        return numbered(self)


class Passage(models.Model):
    """A node that somebody left, and by which way."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="passages")
    node = models.CharField(_("node"), max_length=20)
    way = models.CharField(_("way"), max_length=20)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")

    def __str__(self) -> str:
        return numbered(self)
