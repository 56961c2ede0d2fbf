"""Segments: named, versioned rules and, where stored, their members."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.domain.segments.states import BuildState, SegmentKind
from customers.models.customer import Customer


class Segment(models.Model):
    """A group of customers."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, default=SegmentKind.DYNAMIC)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    current_version = models.ForeignKey(
        "SegmentVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    last_count = models.BigIntegerField(_("last count"), null=True)
    last_counted_at = models.DateTimeField(_("counted at"), null=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")

    def __str__(self) -> str:
        return self.slug


class SegmentVersion(models.Model):
    """One published rule of a segment; never changed once written."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    rule = models.JSONField(_("rule"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("segment version")
        verbose_name_plural = _("segment versions")
        constraints = [
            models.UniqueConstraint(fields=["segment", "number"], name="segment_version_unique")
        ]

    def __str__(self) -> str:
        return f"SegmentVersion {self.segment_id}/{self.number}"


class SegmentBuild(models.Model):
    """The stored members of a dynamic segment: as of when, by which rule, and what went wrong.

    Members stay as they were when a build fails; `built_at` and `version` then still tell as of
    when and by which rule they are right.
    """

    segment = models.OneToOneField(
        Segment, on_delete=models.CASCADE, primary_key=True, related_name="build"
    )
    state = models.CharField(_("state"), max_length=10, default=BuildState.WAITING)
    version = models.ForeignKey(
        SegmentVersion, null=True, on_delete=models.CASCADE, related_name="+"
    )
    built_at = models.DateTimeField(_("built at"), null=True)
    member_count = models.BigIntegerField(_("members"), default=0)
    entered_count = models.BigIntegerField(_("entered"), default=0)
    left_count = models.BigIntegerField(_("left"), default=0)
    failed_at = models.DateTimeField(_("failed at"), null=True)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due at"), db_index=True)

    class Meta:
        verbose_name = _("segment build")
        verbose_name_plural = _("segment builds")

    def __str__(self) -> str:
        return f"SegmentBuild {self.segment_id} {self.state}"


class SegmentMember(models.Model):
    """A stay of one customer in a segment; open while `left_at` is null."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members")
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    entered_at = models.DateTimeField(_("entered at"))
    left_at = models.DateTimeField(_("left at"), null=True)
    source = models.CharField(_("source"), max_length=80, blank=True)
    left_source = models.CharField(_("why left"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("segment member")
        verbose_name_plural = _("segment members")
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"],
                condition=Q(left_at__isnull=True),
                name="segment_member_open_unique",
            )
        ]
        indexes = [models.Index(fields=["customer", "entered_at"], name="segment_member_customer")]

    def __str__(self) -> str:
        return f"SegmentMember {self.segment_id}/{self.customer_id}"
