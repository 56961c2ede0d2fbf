"""A dispatch: its plan, its chunks, its messages and its ledger."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.domain.compliance.offers import ProductKind
from campaigns.domain.sending.states import (
    ChunkState,
    DispatchSource,
    DispatchStatus,
    MessageState,
    Priority,
)
from campaigns.models.budget import Budget, VolumeUse
from campaigns.models.campaign import Campaign, Step
from campaigns.models.channel import Channel
from campaigns.models.content import ContentVersion, Touchpoint, Variant
from customers.domain.consents.consent import Purpose
from customers.models import Customer, SegmentVersion
from loancrm.kernel.words.titles import numbered


class Dispatch(models.Model):
    """Messages to a frozen audience on their way through one channel, with all that sending needs.

    What it needs to know is written down when the audience is frozen: workers read nothing of the
    campaign, journey or request that the dispatch came from.
    """

    # Where it came from: the run of a campaign's step, or a request of the lender's own systems.
    source = models.CharField(_("source"), max_length=16)
    campaign = models.ForeignKey(
        Campaign, null=True, on_delete=models.CASCADE, related_name="dispatches"
    )
    step = models.ForeignKey(Step, null=True, on_delete=models.PROTECT, related_name="dispatches")
    run_number = models.PositiveIntegerField(_("run"), default=1)
    # The plan.
    touchpoint = models.ForeignKey(Touchpoint, on_delete=models.PROTECT, related_name="dispatches")
    channel = models.ForeignKey(Channel, null=True, on_delete=models.PROTECT, related_name="+")
    channel_kind = models.CharField(_("channel kind"), max_length=10)
    name = models.CharField(_("name"), max_length=120, blank=True)
    # What events and reports say the messages were about.
    subject = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(_("purpose"), max_length=12)
    service_kind = models.CharField(_("kind of service message"), max_length=20, blank=True)
    product_kind = models.CharField(
        _("what it is about"), max_length=12, default=ProductKind.SERVICE
    )
    # The lower, the sooner it is worked.
    priority = models.PositiveSmallIntegerField(_("priority"), default=Priority.NORMAL)
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    # Whom it serves: those whom this one did not reach.
    before = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    # Who refused through any channel since then hears no more of it.
    refusals_since = models.DateTimeField(null=True)
    # Nothing is tried from then on, by the database's clock: the campaign's end, or the first of
    # those of the products that its texts list.
    ends_at = models.DateTimeField(_("ends at"), null=True)
    # Who has reached the goal since then gets no message; null where that is not asked.
    goal_since = models.DateTimeField(null=True)
    # Raised when the plan is corrected: what was written by the plan before is not sent.
    revision = models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)
    # Names of the values that came with each message; empty for texts that are the same for all.
    variables = models.JSONField(default=list)
    goal_event = models.CharField(max_length=60, blank=True)
    goal_window_days = models.PositiveSmallIntegerField(null=True)
    segment_version = models.ForeignKey(
        SegmentVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Keys of the rules by which segments were left out, and how many people each reason left out.
    excluded_versions = models.JSONField(null=True, default=list, editable=False)
    excluded_counts = models.JSONField(default=dict, editable=False)
    uses_personal_rules = models.BooleanField(default=False)
    unit_cost = models.DecimalField(_("cost a part"), max_digits=10, decimal_places=4, null=True)
    budget = models.ForeignKey(Budget, null=True, on_delete=models.PROTECT, related_name="+")
    # Keys of the caps on its number of messages.
    volume_caps = models.JSONField(default=list, editable=False)
    late_limit_hours = models.PositiveSmallIntegerField(default=24)
    # Digests of what was approved: a later change of what is read while sending holds it.
    approved_parts = models.JSONField(default=dict)
    # Which deployment planned it, in which epoch: part of the keys that providers see.
    key_space = models.CharField(max_length=30, blank=True)
    # Its course.
    status = models.CharField(_("status"), max_length=10, default=DispatchStatus.SCHEDULED)
    audience_count = models.BigIntegerField(_("audience"), default=0)
    due_at = models.DateTimeField(_("due at"))
    frozen_at = models.DateTimeField(_("frozen at"), null=True)
    completed_at = models.DateTimeField(_("completed at"), null=True)
    # Beside the status: whoever pauses and resumes leaves it where it stood.
    is_paused = models.BooleanField(_("paused"), default=False, editable=False)
    hold_reason = models.CharField(_("held because"), max_length=60, blank=True)
    # Those who run the system were told of the hold.
    is_hold_told = models.BooleanField(default=False, editable=False)
    # Rounds in a row that failed for a reason outside any person.
    fault_count = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")
        constraints = [
            models.UniqueConstraint(
                fields=["step", "run_number"],
                condition=Q(step__isnull=False),
                name="dispatch_once_a_run",
            ),
            models.CheckConstraint(
                condition=Q(source=DispatchSource.STEP, step__isnull=False, campaign__isnull=False)
                | Q(source=DispatchSource.REQUEST, step__isnull=True, campaign__isnull=True),
                name="dispatch_has_one_source",
            ),
            models.CheckConstraint(
                condition=Q(purpose=Purpose.MARKETING) | ~Q(product_kind=ProductKind.CREDIT_OFFER),
                name="dispatch_offer_is_marketing",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "priority"],
                condition=~Q(status__in=["completed", "cancelled"]),
                name="dispatch_open",
            )
        ]

    def __str__(self) -> str:
        return numbered(self)


class Chunk(models.Model):
    """A range of about 500 messages that one worker leases at a time."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    first_message_id = models.BigIntegerField()
    last_message_id = models.BigIntegerField()
    state = models.CharField(max_length=8, default=ChunkState.READY)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    # Holder and number of the claim: a worker that lost the chunk and claimed it again is another.
    claimed_by = models.CharField(max_length=80, blank=True)
    claim_count = models.PositiveIntegerField(default=0)
    # Claims since the chunk was last given back, so all but the newest were lost.
    attempts = models.PositiveSmallIntegerField(default=0)
    # The one message being worked on where workers died, and {message: how many died over it}.
    in_hand_message_id = models.BigIntegerField(null=True)
    suspects = models.JSONField(default=dict)
    reserved_amount = models.DecimalField(max_digits=14, decimal_places=4, default=0)

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints = [models.UniqueConstraint(fields=["dispatch", "number"], name="chunk_unique")]
        indexes = [
            models.Index(
                fields=["dispatch", "state", "due_at"],
                condition=~Q(state="done"),
                name="chunk_open",
            )
        ]

    def __str__(self) -> str:
        return f"Chunk {self.dispatch_id}/{self.number}"


class VolumeReservation(models.Model):
    """How many places of a cap a chunk has reserved or used."""

    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="+", db_index=False)
    use = models.ForeignKey(VolumeUse, on_delete=models.CASCADE, related_name="+")
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("reservation of a volume cap")
        verbose_name_plural = _("reservations of volume caps")
        constraints = [
            models.UniqueConstraint(fields=["chunk", "use"], name="volume_reservation_once")
        ]

    def __str__(self) -> str:
        return numbered(self)


class Message(models.Model):
    """One person in one dispatch; held-out and skipped people have rows too."""

    # The keys have no index of their own where a constraint or an index below starts with them:
    # freezing a million rows pays for every index.
    dispatch = models.ForeignKey(
        Dispatch,
        on_delete=models.CASCADE,
        related_name="messages",
        db_index=False,
        db_constraint=False,
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    variant = models.ForeignKey(
        Variant,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    content = models.ForeignKey(
        ContentVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    is_control = models.BooleanField(_("control group"), default=False)
    state = models.CharField(_("state"), max_length=10, default=MessageState.PLANNED)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    rule_version = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(_("due at"), null=True)
    planned_at = models.DateTimeField(_("planned at"))
    attempted_at = models.DateTimeField(_("attempted at"), null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Since when the provider has been too busy for it: that counts no try, so it ends by its age.
    waiting_since = models.DateTimeField(null=True, editable=False)
    # The claim of its chunk under which it was marked: only that worker's answer settles it.
    mark = models.PositiveIntegerField(db_default=0, editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    # Through which channel it was tried last: another than the dispatch's where that one was down.
    # Only this one is ever asked about it again.
    channel = models.ForeignKey(
        Channel,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    provider_message_id = models.CharField(max_length=120, blank=True)
    # What was written to; no key, since freezing a million rows pays for every constraint.
    contact_point_id = models.BigIntegerField(null=True, editable=False)
    # It was named when the message was planned: no other is ever written to.
    is_point_named = models.BooleanField(db_default=False, editable=False)
    parts = models.PositiveSmallIntegerField(_("parts"), default=0)
    cost_amount = models.DecimalField(_("cost"), max_digits=10, decimal_places=4, default=0)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "customer"], name="message_once_a_person")
        ]
        indexes = [
            # On the customer alone: marking and settling then change no indexed column (heap-only
            # updates on PostgreSQL).
            models.Index(fields=["customer"], name="message_customer"),
            models.Index(
                fields=["provider_message_id"],
                condition=~Q(provider_message_id=""),
                name="message_provider_id",
            ),
        ]

    def __str__(self) -> str:
        return f"Message {self.pk}"


class LedgerEntry(models.Model):
    """How a working session left its chunk, chained to the session before it in that chunk."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="ledger")
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="ledger")
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    cost_amount = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    content_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("dispatch ledger")
        constraints = [
            models.UniqueConstraint(fields=["chunk", "sequence"], name="ledger_sequence_unique")
        ]

    def __str__(self) -> str:
        return f"LedgerEntry {self.chunk_id}/{self.sequence}"
