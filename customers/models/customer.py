"""The customer: typed columns that rules and models use, identity sealed."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.values.person import Gender, MarketingStatus
from loancrm.kernel.words.titles import numbered


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Queries over customers."""

    def live(self) -> "CustomerQuerySet":
        """Return the customers that were not merged into another."""
        return self.filter(merged_into__isnull=True)


class Customer(models.Model):
    """One person. Personal data is sealed; blind indexes find equal values."""

    NAME_COLUMN = "customers.customer.name"
    NATIONAL_ID_COLUMN = "customers.customer.national_id"

    public_id = models.UUIDField(_("public id"), default=uuid4, unique=True, editable=False)
    external_id = models.CharField(_("external id"), max_length=100, blank=True)
    name_sealed = models.BinaryField(null=True)
    name_index = models.CharField(max_length=64, blank=True)
    national_id_sealed = models.BinaryField(null=True)
    national_id_index = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - unique
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    gender = models.CharField(_("gender"), max_length=8, default=Gender.UNKNOWN)
    province = models.CharField(_("province"), max_length=40, blank=True)
    city = models.CharField(_("city"), max_length=40, blank=True)
    occupation = models.CharField(_("occupation"), max_length=60, blank=True)
    education = models.CharField(_("education"), max_length=40, blank=True)
    marital = models.CharField(_("marital status"), max_length=20, blank=True)
    income_band = models.CharField(_("income band"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    lifecycle_stage = models.CharField(
        _("lifecycle stage"), max_length=20, default=LifecycleStage.LEAD
    )
    marketing_status = models.CharField(
        _("marketing status"), max_length=20, default=MarketingStatus.OPEN
    )
    personalisation_allowed = models.BooleanField(_("personalisation allowed"), default=True)
    marketing_paused_until = models.DateTimeField(
        _("marketing paused until"), null=True, blank=True
    )
    weekly_message_limit = models.PositiveSmallIntegerField(
        _("most messages a week"), null=True, blank=True
    )
    source = models.CharField(_("source"), max_length=60, blank=True)
    # {column: source} of the values that another source than the customer's own has brought.
    field_sources = models.JSONField(_("sources of single fields"), default=dict, blank=True)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))
    # From when on occupation, education and income band are what they are, stamped by the database
    # at a change of them; empty while they are what came with the customer.
    profile_since = models.DateTimeField(null=True, editable=False)
    # Stamped by the database at every write, for the feed of changes.
    changed_at = models.DateTimeField(null=True, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.UniqueConstraint(
                fields=["national_id_index"],
                condition=Q(national_id_index__isnull=False, merged_into__isnull=True),
                name="customer_national_id_unique",
            ),
        ]
        # `db_index` on a text would add a second index, for LIKE, that nothing here asks for.
        indexes = [
            models.Index(fields=["external_id"], name="customer_external_id"),
            models.Index(fields=["name_index"], name="customer_name"),
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="customer_merged_into",
            ),
            # Rules over other tables need of a customer only that it was not merged away.
            models.Index(
                fields=["id"], condition=Q(merged_into__isnull=True), name="customer_live"
            ),
            models.Index(fields=["birth_date"], name="customer_birth_date"),
            models.Index(fields=["city"], name="customer_city"),
            models.Index(fields=["lifecycle_stage"], name="customer_stage"),
            models.Index(fields=["updated_at"], name="customer_updated"),
            models.Index(fields=["changed_at"], name="customer_changed"),
        ]
        permissions = [
            ("import_customers", _("Can import customers")),
            ("reveal_pii", _("Can reveal personal data")),
            ("export_customers", _("Can export customers")),
        ]

    def __str__(self) -> str:
        return numbered(self)
