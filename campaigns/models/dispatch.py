"""One run of a campaign's step: its chunks, its messages and its ledger."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.domain.sending.states import ChunkState, DispatchStatus, MessageState
from campaigns.models.campaign import Campaign, ContentVersion, Step, Variant
from campaigns.models.channel import Channel
from customers.models import Customer, SegmentVersion


class Dispatch(models.Model):
    """A frozen audience on its way through one channel."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="dispatches")
    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="dispatches")
    channel = models.ForeignKey(Channel, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(_("status"), max_length=10, default=DispatchStatus.SCHEDULED)
    channel_kind = models.CharField(_("channel kind"), max_length=10)
    is_test = models.BooleanField(default=False)
    audience_count = models.BigIntegerField(_("audience"), default=0)
    due_at = models.DateTimeField(_("due at"))
    frozen_at = models.DateTimeField(_("frozen at"), null=True)
    completed_at = models.DateTimeField(_("completed at"), null=True)
    # What was approved, frozen: a later change of the segment or the price reaches nobody, one of
    # the texts holds the dispatch.
    segment_version = models.ForeignKey(
        SegmentVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    uses_personal_rules = models.BooleanField(default=False)
    unit_cost = models.DecimalField(_("cost a part"), max_digits=10, decimal_places=4, null=True)
    # Which deployment planned it, in which epoch: part of the keys that providers see.
    key_space = models.CharField(max_length=30, blank=True)
    approved_parts = models.JSONField(default=dict)
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
                fields=["step"], condition=Q(is_test=False), name="dispatch_once_a_step"
            )
        ]

    def __str__(self) -> str:
        return f"Dispatch {self.pk} of {self.campaign_id}"


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
    provider_message_id = models.CharField(max_length=120, blank=True)
    # What was written to; no key, since freezing a million rows pays for every constraint.
    contact_point_id = models.BigIntegerField(null=True, editable=False)
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
