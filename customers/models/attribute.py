"""Attributes that a lender adds without a migration: typed rows, never JSON."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from loancrm.kernel.words.phrases import reads_chinese


class AttributeDefinition(models.Model):
    """Name, type and labels of an attribute."""

    name = models.SlugField(_("name"), max_length=60, unique=True)
    value_type = models.CharField(_("type"), max_length=8)
    label_zh = models.CharField(_("Chinese label"), max_length=80, blank=True)
    label_en = models.CharField(_("English label"), max_length=80, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    is_protected = models.BooleanField(_("protected: not for models or pricing"), default=False)
    is_risk_only = models.BooleanField(
        _("for risk only: hidden from marketing"),
        default=False,
        help_text=_("Rules, texts and models of marketing neither see nor use it."),
    )

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")

    def __str__(self) -> str:
        return (self.label_zh if reads_chinese() else self.label_en) or self.name


class AttributeValue(models.Model):
    """One customer's value of one attribute; exactly the column of its type is filled."""

    # Both are found by the constraint and the indexes below, which start with them.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="attribute_values", db_index=False
    )
    # PROTECT keeps the definition; letting the database ask again for every value of every row of
    # a file, and lock the same few definitions each time, costs more than storing the value.
    definition = models.ForeignKey(
        AttributeDefinition,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    text = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null means not of this type
    day = models.DateField(null=True)
    flag = models.BooleanField(null=True)
    source = models.CharField(max_length=60, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("attribute value")
        verbose_name_plural = _("attribute values")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "definition"], name="attribute_value_unique"
            )
        ]
        # A value stands in the index of its type only.
        indexes = [
            models.Index(
                fields=["definition", name, "customer"],
                condition=Q(**{f"{name}__isnull": False}),
                name=f"attribute_{name}",
            )
            for name in ("number", "text", "day")
        ]

    def __str__(self) -> str:
        return str(self.pk)
