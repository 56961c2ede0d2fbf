"""Scores that models gave to customers, each with its version and time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class Score(models.Model):
    """The value of one model version for one customer; `is_latest` marks the one in use."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="scores")
    model_name = models.CharField(_("model"), max_length=60)
    version = models.CharField(_("version"), max_length=40)
    value = models.DecimalField(_("value"), max_digits=16, decimal_places=6)
    band = models.CharField(_("band"), max_length=20, blank=True)
    scored_at = models.DateTimeField(_("scored at"))
    is_latest = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "model_name"],
                condition=models.Q(is_latest=True),
                name="score_one_latest",
            )
        ]
        indexes = [models.Index(fields=["model_name", "is_latest", "value"], name="score_lookup")]

    def __str__(self) -> str:
        return f"Score {self.pk} {self.model_name}"
