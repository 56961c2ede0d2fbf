"""What attributes and profiles were before: spells that are over, written by the database alone.

`kernel.changes.history` writes a spell when a value is changed or removed, and removes a person's
spells with the person. So nothing here refers to the person by a constraint of its own.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.attribute import AttributeDefinition
from customers.models.customer import Customer
from loancrm.kernel.words.titles import numbered


class PastAttribute(models.Model):
    """One customer's value of one attribute, and when it was in force: from, and until before."""

    customer = models.ForeignKey(
        Customer,
        on_delete=models.DO_NOTHING,
        related_name="past_attributes",
        db_index=False,
        db_constraint=False,
    )
    # An attribute that is taken away takes its past along.
    definition = models.ForeignKey(
        AttributeDefinition,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    text = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null means not of this type
    day = models.DateField(null=True)
    flag = models.BooleanField(null=True)
    began_at = models.DateTimeField(_("in force from"))
    ended_at = models.DateTimeField(_("in force until"))

    class Meta:
        verbose_name = _("past attribute value")
        verbose_name_plural = _("past attribute values")
        indexes = [
            models.Index(fields=["customer", "definition"], name="past_attribute_customer"),
            models.Index(fields=["ended_at"], name="past_attribute_ended"),
        ]

    def __str__(self) -> str:
        return numbered(self)


class PastProfile(models.Model):
    """What a customer's profile said, and when: the columns of `PROFILE_COLUMNS`."""

    customer = models.ForeignKey(
        Customer,
        on_delete=models.DO_NOTHING,
        related_name="past_profiles",
        db_index=False,
        db_constraint=False,
    )
    occupation = models.CharField(_("occupation"), max_length=60, blank=True)
    education = models.CharField(_("education"), max_length=40, blank=True)
    income_band = models.CharField(_("income band"), max_length=20, blank=True)
    began_at = models.DateTimeField(_("in force from"))
    ended_at = models.DateTimeField(_("in force until"))

    class Meta:
        verbose_name = _("past profile")
        verbose_name_plural = _("past profiles")
        indexes = [
            models.Index(fields=["customer"], name="past_profile_customer"),
            models.Index(fields=["ended_at"], name="past_profile_ended"),
        ]

    def __str__(self) -> str:
        return numbered(self)
