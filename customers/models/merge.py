"""Merges that can be taken back, and the rules by which values survive them."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.domain.identity.merging import RULE_FIELDS, Prefer
from customers.models.customer import Customer
from loancrm.kernel.words.titles import numbered


class Merge(models.Model):
    """One customer that became part of another, with all that is needed to part them again.

    `moved` lists the ids of the rows that changed hands, by model; `changes` the values before and
    after, by row. Sealed values stay sealed in it. `marks` holds the last id of every table at the
    time of the merge; `arrived`, once it is taken back, what came in since, by model.
    """

    kept = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    moved = models.JSONField(_("moved rows"), default=dict)
    changes = models.JSONField(_("changes"), default=list)
    marks = models.JSONField(default=dict)
    arrived = models.JSONField(_("rows that arrived meanwhile"), default=list)
    later_edits = models.JSONField(_("later edits that were kept"), default=list)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    merged_by = models.CharField(_("merged by"), max_length=150)
    merged_at = models.DateTimeField(_("merged at"))
    undone_by = models.CharField(_("undone by"), max_length=150, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True)

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.CheckConstraint(condition=~Q(kept=F("other")), name="merge_two"),
            models.UniqueConstraint(
                fields=["other"], condition=Q(undone_at__isnull=True), name="merge_other_once"
            ),
        ]
        permissions = [("merge_customers", _("Can merge customers and take it back"))]

    def __str__(self) -> str:
        return f"Merge {self.pk}"


def _check_sources(value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValidationError(_("Write a list of names of sources."))


def _check_field(value: object) -> None:
    if value not in RULE_FIELDS and not str(value).startswith("attribute."):
        raise ValidationError(
            _("Write *, attribute.<name> or one of these: %(names)s."),
            params={"names": ", ".join(sorted(RULE_FIELDS))},
        )


class SurvivorshipRule(models.Model):
    """Whose value of one field survives a merge, and which files may overwrite it.

    Without a rule the kept customer's value survives a merge, and the newest file's an import.
    """

    field = models.CharField(
        _("field"),
        max_length=80,
        unique=True,
        validators=[_check_field],
        help_text=_(
            "Column of the customer, such as <code>city</code>, <code>contact.phone</code>, "
            "<code>attribute.NAME</code>, or * for every field without a rule of its own."
        ),
    )
    prefer = models.CharField(
        _("whose value survives"),
        max_length=8,
        default=Prefer.KEPT.value,
        choices=[
            (Prefer.KEPT.value, _("The kept customer's")),
            (Prefer.NEWEST.value, _("The one written last")),
            (Prefer.SOURCE.value, _("The one of the better source")),
        ],
    )
    sources = models.JSONField(
        _("trusted sources"),
        default=list,
        blank=True,
        validators=[_check_sources],
        help_text=_(
            'Best first, such as <code>["core", "crm"]</code>. A file of a later or unnamed '
            "source does not overwrite a value of an earlier one."
        ),
    )

    class Meta:
        verbose_name = _("survivorship rule")
        verbose_name_plural = _("survivorship rules")

    def __str__(self) -> str:
        return numbered(self)
